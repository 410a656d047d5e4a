"""Streams as they are met in the wild: closed, piped into `head`, full, in plain ASCII, a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgecompile.cli.main import main

SOURCE = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "edgecompile.cli"]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EDGECOMPILE_", "NO_COLOR"))}
    return {**kept, "PYTHONPATH": str(SOURCE), **changes}


def shell(line: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which ``$e`` is the command."""
    return subprocess.run(
        ["bash", "-c", f'e="{" ".join(COMMAND)}"; {line}'],
        capture_output=True,
        text=True,
        env=environment(**changes),
        timeout=60,
    )


def on_a_terminal(words: list[str], **changes: str) -> str:
    """What a terminal of 80 columns shows."""
    try:
        ours, theirs = pty.openpty()
    except OSError:
        pytest.skip("this machine gives no pseudo-terminal (/dev/pts is not mounted)")
    process = subprocess.Popen([*COMMAND, *words], stdout=theirs, stderr=theirs, env=environment(**changes))
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    process.wait()
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    "line, exit_code",
    [
        pytest.param("$e explain >&-", 0, id="stdout-closed"),
        pytest.param("$e biuld 2>&-", 2, id="stderr-closed"),
        pytest.param("$e explain <&- >&- 2>&-", 0, id="all-closed"),
        pytest.param("$e explain | head -n 1; exit ${PIPESTATUS[0]}", 0, id="reader-gone"),
        pytest.param("$e build --help | true; exit ${PIPESTATUS[0]}", 0, id="reader-of-help-gone"),
    ],
)
def test_a_stream_that_nobody_reads_is_no_error(line: str, exit_code: int) -> None:
    finished = shell(line)

    assert finished.returncode == exit_code
    assert "Traceback" not in finished.stderr
    assert "Exception ignored" not in finished.stderr
    assert "BrokenPipe" not in finished.stderr


@pytest.mark.parametrize("words", ["explain", "explain EC101", "passes --json", "--help"])
def test_a_full_disk_behind_stdout_is_a_diagnostic(words: str) -> None:
    finished = shell(f"$e {words} > /dev/full")

    assert finished.returncode == 2
    assert "error[EC107]" in finished.stderr
    assert "no space left on device" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "Exception ignored" not in finished.stderr


def test_ascii_terminals_get_escapes_instead_of_an_error() -> None:
    finished = shell("$e build --targét x", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert finished.returncode == 2
    assert "error[EC100]" in finished.stderr


@pytest.mark.parametrize(
    "words, changes, colored",
    [
        pytest.param(["biuld"], {"TERM": "xterm"}, True, id="terminal"),
        pytest.param(["biuld"], {"TERM": "dumb"}, False, id="dumb-terminal"),
        pytest.param(["biuld"], {"TERM": "xterm", "NO_COLOR": "1"}, False, id="no-color"),
        pytest.param(["--color", "never", "biuld"], {"TERM": "xterm"}, False, id="never"),
        pytest.param(["--color=always", "biuld"], {"TERM": "dumb", "NO_COLOR": "1"}, True, id="always"),
    ],
)
def test_colour_follows_the_terminal_and_the_wish(words: list[str], changes: dict[str, str], colored: bool) -> None:
    shown = on_a_terminal(words, **changes)

    assert "error[EC101]" in shown
    assert ("\x1b[31m" in shown) == colored


def test_without_a_terminal_there_is_no_colour() -> None:
    assert "\x1b" not in shell("$e biuld").stderr


WAIT = """
import sys, time
from edgecompile.cli import passes
from edgecompile.cli.main import main
def wait(console, **_):
    console.begin("compress", "forever")
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
passes.command.callback = wait
import click
passes.command.callback = click.pass_obj(wait)
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_being_asked_to_stop_is_exit_130_without_a_traceback(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT, "passes", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    assert any(line.strip() == "ready" for line in said), "the program ended before it waited"

    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert '"status": "interrupted"' in out


class Interrupting:
    """An import during which somebody presses Ctrl-C."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "edgecompile.cli.application":
            raise KeyboardInterrupt


def test_an_interrupt_during_start_up_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    import edgecompile.cli.application

    monkeypatch.delitem(sys.modules, edgecompile.cli.application.__name__)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])

    assert main(["explain"]) == 130
