"""Work split over forked processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from edgecompile.core.errors import RejectedError, rejected
from edgecompile.libs import fork


@pytest.mark.parametrize("workers", [1, 4])
def test_results_come_in_the_order_of_the_workers(workers: int) -> None:
    answers = fork.spread(lambda worker, count: {"worker": worker}, workers, lambda done: None)

    assert answers == [{"worker": worker} for worker in range(workers)]


def test_results_larger_than_a_pipe_arrive_whole() -> None:
    answers = fork.spread(lambda worker, count: {"text": "x" * 300_000}, 2, lambda done: None)

    assert [len(answer["text"]) for answer in answers] == [300_000, 300_000]


def test_a_refusal_in_one_of_them_is_raised_here() -> None:
    def part(worker: int, count: Callable[[int], None]) -> dict[str, Any]:
        if worker == 1:
            raise rejected("EC703", "no", "here")
        return {}

    with pytest.raises(RejectedError, match="EC703: no"):
        fork.spread(part, 3, lambda done: None)


def test_a_fault_in_one_of_them_is_not_taken_for_an_answer(capfd: pytest.CaptureFixture[str]) -> None:
    def part(worker: int, count: Callable[[int], None]) -> dict[str, Any]:
        raise KeyError("oops")

    with pytest.raises(RuntimeError, match="without an answer"):
        fork.spread(part, 2, lambda done: None)

    assert "oops" in capfd.readouterr().err


def test_a_death_by_signal_is_passed_on() -> None:
    def part(worker: int, count: Callable[[int], None]) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    pid = os.fork()
    if pid == 0:
        fork.spread(part, 2, lambda done: None)
        os._exit(0)
    _, status = os.waitpid(pid, 0)

    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGTERM
