from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.core.errors import RejectedError
from edgecompile.libs import child

CRASH = child.Crash(code="EC400", message="the process that loads and converts the model died", help=("unroll it",))


@pytest.fixture(autouse=True)
def models_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_converter_that_crashes_is_a_diagnostic() -> None:
    with pytest.raises(RejectedError) as raised:
        child.call("crashing:crash", {}, crash=CRASH)

    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "EC400"
    assert diagnostic.message.endswith("the process was killed by SIGSEGV")


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_real_crash_of_a_quantized_loop_is_a_diagnostic() -> None:
    # TF 2.20 ends the process here; should a later version not, the loop must have been quantized.
    with pytest.raises(RejectedError) as raised:
        child.call("crashing:quantize_a_loop", {}, crash=CRASH)

    assert "SIGSEGV" in raised.value.diagnostics[0].message
