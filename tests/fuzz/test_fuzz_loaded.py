"""The bench that has Keras load mutated files tells a death that proves nothing from one that is a finding."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import _fuzz_loaded
import pytest
from _fuzz_loaded import ROOM_BYTES, KerasFiles
from _fuzz_models import KerasArchives
from _fuzz_run import meet

from edgecompile.libs.child_death import Crash, Death, error_of, of_memory, of_returncode, of_timeout

Answer = int | Callable[[float], Death]


def killed_by(number: int) -> Callable[[float], Death]:
    return lambda _: of_returncode(-number)


def too_large(_: float) -> Death:
    return of_memory("array.py:3")


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """The time limit of the harness needs one."""
    before = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize(
    "answers, way, finding",
    [
        pytest.param([1 << 20], "accepted", None, id="loaded"),
        pytest.param([of_timeout, 0], "accepted", None, id="late once"),
        pytest.param([of_timeout, of_timeout], "longer than", "and then than 240 s", id="late twice"),
        pytest.param([killed_by(signal.SIGKILL)], "killed", "when memory runs out", id="killed"),
        pytest.param([of_timeout, killed_by(signal.SIGKILL)], "killed", "when memory runs out", id="late, then killed"),
        pytest.param([ROOM_BYTES + 1], "more than", "MiB of memory", id="much memory"),
        pytest.param(
            [killed_by(signal.SIGABRT)], "EC400, the process was killed by SIGABRT", None, id="TensorFlow aborts"
        ),
        pytest.param([too_large], "EC400, memory ran out at array.py:3", None, id="an array that none can have"),
    ],
)
def test_deaths_are_told_apart(
    answers: list[Answer], way: str, finding: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = list(answers)

    def call(_: object, __: str, ___: object, *, timeout_s: float, crash: Crash) -> int:
        answer = left.pop(0)
        if isinstance(answer, int):
            return answer
        raise error_of(crash, answer(timeout_s), None, b"")

    monkeypatch.setattr(_fuzz_loaded.child.Session, "call", call)
    content = b".keras".ljust(8) + KerasArchives().bases[0]

    met, found = meet(KerasFiles(), content)

    assert met.startswith(way)
    assert (found is None) if finding is None else finding in str(found)
    assert left == []
