"""Files that a fuzzer guided by coverage found, the smallest for each way in which models are refused.

`scripts/bench fuzz_guided` finds such files; a name here says the code that refuses the file, or that it is accepted.
They are seeds of `scripts/bench fuzz`, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.ir import compiled, costs, text
from edgecompile.ir.describe import describe
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write

FOUND = sorted(Path(__file__).with_name("corpus").glob("*.tflite"))
_MOST_BYTES = 100_000


def answer(content: bytes) -> str:
    """The code of the first diagnostic; ``accepted`` where all that `inspect` shows can be told and written again."""
    try:
        network = read(content, "model.tflite")
        packages = compiled.packages_of(network)
        text.text(network, None, packages)
        describe(network, None, packages)
        costs.totals(network)
        read(write(network), "again.tflite")
    except BadInputError as error:
        return error.diagnostics[0].code
    return "accepted"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_file_that_was_found_is_met_as_its_name_says(path: Path) -> None:
    assert answer(path.read_bytes()) == path.stem.partition("-")[0]


def test_the_files_are_few_and_small() -> None:
    assert len(FOUND) > 40
    assert sum(path.stat().st_size for path in FOUND) < _MOST_BYTES
