"""The line of a search on a terminal: how many trials, the best so far, the time left, within its width."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from search_cases import Pool, asked, opened, search

from edgecompile.cli.console import Console
from edgecompile.cli.tune_progress import Progress
from edgecompile.search.proposals import Asked
from edgecompile.search.study import RUNNING, Trial


def shown(room: int, question: Asked, trials: list[Trial], left_s: float | None) -> str:
    """What stands in the line of a terminal that leaves so many characters."""
    told: list[str] = []
    console: Any = SimpleNamespace(room=room, update=lambda done, whole, what: told.append(what))
    Progress(console, question).searching(trials, [len(trials)], left_s)
    return told[0]


@pytest.mark.parametrize(
    ("room", "left_s", "line"),
    [
        pytest.param(80, 90.0, "6 of 30 trials, 1 running, best 90.00 %, 97.7 KiB, 1 m 30 s left", id="wide"),
        pytest.param(60, 90.0, "6 of 30 trials, best 90.00 %, 97.7 KiB, 1 m 30 s left", id="80 columns"),
        pytest.param(45, 90.0, "6 of 30 trials, best 90.00 %, 1 m 30 s left", id="a long name"),
        pytest.param(34, 90.0, "6 of 30, 90.00 %, 1 m 30 s left", id="narrow"),
        # Trials of a second each, 24 of them, one at a time.
        pytest.param(80, None, "6 of 30 trials, 1 running, best 90.00 %, 97.7 KiB, 24 s left", id="no time granted"),
    ],
)
def test_the_line_says_trials_best_and_time_left_in_the_room_there_is(
    tmp_path: Path, room: int, left_s: float | None, line: str
) -> None:
    question = asked(most=30)
    trials = search(opened(tmp_path, question), question, Pool())
    trials = [*trials[:6], replace(trials[6], state=RUNNING, figures=None, duration_s=0.0)]

    assert shown(room, question, trials, left_s) == line
    assert len(line) <= room


def test_before_the_first_trial_nothing_is_claimed(tmp_path: Path) -> None:
    assert shown(60, asked(most=30), [], None) == "0 of 30 trials, 1 running"


class Line:
    """A live line that keeps what is said beside it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.is_closed = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        self.is_closed = True


def test_what_is_told_while_a_stage_runs_leaves_its_line() -> None:
    line: Any = Line()
    console = Console(stdout=None, stderr=io.StringIO(), live=True)
    console._line = line

    console.aside("a trial is done")

    assert line.said == ["a trial is done"]
    assert not line.is_closed


def test_without_a_terminal_it_is_a_line_like_others() -> None:
    stream = io.StringIO()

    Console(stdout=None, stderr=stream).aside("a trial is done")
    Console(stdout=None, stderr=stream, quiet=True).aside("not heard")

    assert stream.getvalue() == "a trial is done\n"
