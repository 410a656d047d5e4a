"""Progress and colour: one line per finished stage where nobody watches, a live line where somebody does."""

from __future__ import annotations

import io
import json
import os
import shutil
from typing import Any

import pytest

from edgecompile.cli import console as console_module
from edgecompile.cli.console import Console
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import BadInputError, EdgecompileError


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(console_module, "time", clock)
    return clock


def console(**changes: Any) -> Console:
    return Console(stdout=io.StringIO(), stderr=io.StringIO(), **changes)


def written(stream: Any) -> str:
    return str(stream.getvalue())


def test_finished_stages_are_lines_with_their_names_to_the_right(clock: Clock) -> None:
    ours = console()

    ours.begin("load", "kws.keras")
    ours.end("24 452 parameters")
    ours.begin("compress", "prune 0.60 -> cluster 16 -> quantize int8")
    ours.update(1, 12, "epochs")
    clock.now_s += 102
    ours.end("12 epochs")

    assert written(ours.stderr) == (
        "     Load  kws.keras                           24 452 parameters\n"
        " Compress  prune 0.60 -> cluster 16 -> quantize int8  12 epochs, 1 m 42 s\n"
    )
    assert written(ours.stdout) == ""


@pytest.mark.parametrize("live", [False, True], ids=["pipe", "terminal"])
def test_a_long_line_of_a_stage_is_folded_below_its_detail(
    live: bool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    ours = console(live=live)

    ours.begin("board", "nucleo-l4r5zi")
    ours.end("6 904 bytes of flash, 1 156 of RAM and 21 835 instructions; C on qemu-m4 equals tflite-micro")

    assert written(ours.stderr).endswith(
        "    Board  nucleo-l4r5zi                       6 904 bytes of flash, 1 156 of\n"
        "           RAM and 21 835 instructions; C on qemu-m4 equals tflite-micro\n"
    )


def test_capitals_inside_a_stages_name_are_kept(clock: Clock) -> None:
    ours = console()

    ours.begin("verify C", "net")
    ours.end("equal")

    assert "Verify C  net" in written(ours.stderr)


def test_quiet_leaves_errors_and_results_only(clock: Clock) -> None:
    ours = console(quiet=True)

    ours.begin("load", "kws.keras")
    ours.end("24 452 parameters")
    ours.diagnostics(
        [
            Diagnostic(code="EC100", message="a warning", severity=Severity.WARNING),
            Diagnostic(code="EC101", message="an error"),
        ]
    )
    ours.result("build/kws.tflite")

    assert written(ours.stderr).startswith("error[EC101]: an error")
    assert "a warning" not in written(ours.stderr)
    assert written(ours.stdout) == "build/kws.tflite\n"


def test_verbose_says_when_a_stage_begins_and_how_long_it_took(clock: Clock) -> None:
    ours = console(verbose=True)

    ours.begin("load", "kws.keras")
    ours.end("24 452 parameters")

    assert written(ours.stderr).splitlines() == [
        "     Load  kws.keras ...",
        "     Load  kws.keras                           24 452 parameters, 0.0 s",
    ]


def test_a_live_line_is_taken_away_when_its_stage_ends(clock: Clock) -> None:
    ours = console(live=True)

    ours.begin("load", "[red]kws[/red].keras")
    ours.update(1, 2, "files")
    ours.end("24 452 parameters")

    lines = written(ours.stderr).splitlines()
    assert lines[-1].endswith("     Load  [red]kws[/red].keras                24 452 parameters")


@pytest.mark.parametrize("total", [0, 5], ids=["unknown-length", "known-length"])
def test_a_second_stage_may_begin_before_the_first_ended(total: int, clock: Clock) -> None:
    ours = console(live=True)

    ours.begin("load", "a")
    ours.begin("convert", "b")
    ours.update(1, total, "")
    ours.end("done")

    assert "  Convert  b" in written(ours.stderr)


def test_what_is_said_during_a_stage_does_not_tear_its_line(clock: Clock) -> None:
    ours = console(live=True)

    ours.begin("load", "a")
    ours.say("by the way")
    ours.end("done")

    lines = written(ours.stderr).split("\n")
    assert any(line.endswith("by the way") for line in lines)
    assert lines[-2].endswith("     Load  a                                   done")


def test_a_failure_is_told_in_words_and_in_json() -> None:
    ours = console(json=True)

    ours.failed(BadInputError(Diagnostic(code="EC100", message="so it is")))

    assert "error[EC100]: so it is" in written(ours.stderr)
    assert json.loads(written(ours.stdout))["status"] == "failed"


class Full(io.StringIO):
    """A stream whose disk is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_result_that_cannot_be_written_is_an_error() -> None:
    ours = Console(stdout=Full(), stderr=io.StringIO())

    with pytest.raises(EdgecompileError, match="EC107"):
        ours.result("build/kws.tflite")


def test_a_failure_that_cannot_be_written_is_still_told_on_stderr() -> None:
    ours = Console(stdout=Full(), stderr=io.StringIO(), json=True)

    ours.failed(BadInputError(Diagnostic(code="EC100", message="so it is")))

    assert "error[EC100]" in written(ours.stderr)
    assert "error[EC107]" in written(ours.stderr)


def test_nothing_is_said_where_stderr_cannot_be_written() -> None:
    ours = Console(stdout=io.StringIO(), stderr=Full())

    ours.say("hello")
    ours.say("hello again")

    assert ours.stderr is None


def test_the_verdict_and_the_diagnostics_of_a_report_are_coloured() -> None:
    ours = console(color=True)

    ours.report("coral: rejected\n\nerror[EC502]: no\n  --> m.tflite\n", "red")

    assert written(ours.stderr) == (
        "\x1b[31m\x1b[1mcoral: rejected\x1b[0m\n\n\x1b[31m\x1b[1merror[EC502]\x1b[0m: no\n  --> m.tflite\n"
    )


def test_a_long_stage_is_broken_to_the_width_of_the_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    ours = console(live=True)

    ours.begin("verify", "tflite")
    ours.end("at most 9 steps from the float model, argmax agrees in 100.0 %")

    assert written(ours.stderr).splitlines()[-3:] == [
        "   Verify  tflite                              at most 9",
        "           steps from the float model, argmax agrees in",
        "           100.0 %",
    ]
