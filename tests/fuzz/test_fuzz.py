"""A short turn of `scripts/bench fuzz` over every fast reader, and proof that its harness sees what goes wrong."""

from __future__ import annotations

import faulthandler
import io
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from _fuzz_data import data_readers
from _fuzz_flat import Flatbuffers, Metadata, Packages
from _fuzz_hdf5 import of_hdf5
from _fuzz_models import KerasArchives
from _fuzz_run import Reader, Tally, meet, run

from edgecompile.core.errors import bad_input

TIMES = 250
READERS: tuple[Reader, ...] = (Flatbuffers(), Packages(), Metadata(), *data_readers(), KerasArchives())


@pytest.fixture(autouse=True)
def too_late() -> Iterator[None]:
    """A handler for the time limit, as the bench's own processes have one."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, late)
    yield
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "reader",
    [pytest.param(one, id=one.name) for one in READERS],
)
def test_mutated_files_are_read_or_refused_in_words(reader: Reader) -> None:
    draw = random.Random(20)
    findings = []

    for _ in range(TIMES):
        content = reader.make(draw)
        _, finding = meet(reader, content)
        findings += [(finding, content[:200])] if finding else []

    assert findings == []


def test_hdf5_files_are_changed_inside_and_stay_files() -> None:
    h5py = pytest.importorskip("h5py")
    made = io.BytesIO()
    with h5py.File(made, "w") as file:
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense"}]}}'
        file.create_group("d").attrs["weight_names"] = [b"kernel"]
        file["d"].create_dataset("kernel", data=np.ones((2, 3), np.float32))
    draw = random.Random(3)

    changed = [of_hdf5(draw, made.getvalue()) for _ in range(60)]

    assert len(set(changed)) > 40
    for content in changed:
        with h5py.File(io.BytesIO(content)) as file:
            assert set(file) <= {"d"}
    assert of_hdf5(draw, b"no such file") != made.getvalue()


class Odd:
    """A reader that does what a reader must not."""

    name = "odd"
    slow = False

    def __init__(self, deed: Callable[[], object]) -> None:
        self.deed, self.made = deed, 0

    def make(self, draw: random.Random) -> bytes:
        """The fifth input is met in the odd way: the harness tries some before it limits anything."""
        self.made += 1
        return b"odd" if self.made > 5 else b"usual"

    def use(self, content: bytes) -> None:
        if content == b"odd":
            self.deed()

    def learn(self, content: bytes) -> None: ...


def refuses_unprintably() -> None:
    raise bad_input("EC201", "x" * 30_000)


def fills_memory() -> None:
    bytearray(1 << 30)


def never_ends() -> None:
    while True:
        pass


def crashes() -> None:
    faulthandler.disable()  # pytest's report of a crash would stand in the output of tests that pass
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    "deed, finding",
    [
        pytest.param(lambda: [][0], "IndexError", id="an exception of Python's"),
        pytest.param(fills_memory, "MemoryError", id="a gigabyte"),
        pytest.param(never_ends, "longer than", id="no end"),
        pytest.param(crashes, "the process ended", id="a crash"),
        pytest.param(refuses_unprintably, "a message of", id="a message without end"),
    ],
)
def test_the_harness_sees(deed: Callable[[], object], finding: str, tmp_path: Path) -> None:
    tally = run(Odd(deed), 4, time.monotonic() + 30, seed=0, keep=tmp_path)

    assert any(finding in found for found in tally.findings), tally
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"odd"]


def test_a_reader_that_refuses_and_accepts_has_no_findings(tmp_path: Path) -> None:
    def refuse() -> None:
        raise bad_input("EC201", "no")

    tally = run(Odd(refuse), 6, time.monotonic() + 30, seed=0, keep=tmp_path)

    assert (tally.executions, tally.findings, set(tally.answers)) == (6, {}, {"accepted", "EC201"})
    assert Tally.of(tally.plain()) == tally
