"""The command line of an external compiler, and what can go wrong when it runs."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import bad_input
from edgecompile.libs import programs
from edgecompile.libs.programs import Finished
from edgecompile.toolchain.compile import Request

_SHOWN_LINES = 6
# Folders of this machine in what a program printed: an absolute path up to its last name.
_FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/'\":;,()]+/)+")


def words_of(request: Request, program: str, folder: Path) -> list[str] | None:
    """The words in front of the arguments: the user's, or the program on the search path; None where that is absent.

    ``{folder}`` in the user's words is the folder with the model, in which the command runs too. Raises BadInputError
    EC580 where the words cannot be told apart.
    """
    if request.command is None:
        return [program] if programs.find(program) is not None else None
    try:
        words = shlex.split(request.command.replace("{folder}", shlex.quote(str(folder))))
    except ValueError as error:
        raise _unreadable(request.command, str(error).lower()) from None
    if not words:
        raise _unreadable(request.command, "it has no words")
    return words


def run(request: Request, program: str, argv: list[str], folder: Path) -> Finished | Diagnostic:
    """The program after it ran in the folder, or EC573 where the system cannot start it. Raises EC191."""
    try:
        return programs.run(argv, request.timeout_s, cwd=folder, purpose="to compile for the device")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        help = (
            "see that the program is whole and made for this machine",
            "name another one: `command` under [compiler]",
        )
        return warning("EC573", f"`{program}` cannot be started: {reason}", request, (), help)


def without_folders(text: str) -> str:
    """A log without the folders of this machine, so that it can be sent to others; names of files stay."""
    return _FOLDERS.sub("", text)


def failed(request: Request, program: str, done: Finished) -> Diagnostic | None:
    """EC575 for a program that took too long, EC573 for one that ended with an error; None for one that succeeded."""
    tail = [line for line in without_folders(f"{done.stdout}\n{done.stderr}").splitlines() if line.strip()]
    notes = tuple(f"it said: {line.strip()}" for line in tail[-_SHOWN_LINES:])
    if done.timed_out:
        return warning(
            "EC575",
            f"`{program}` did not finish in {request.timeout_s} s and was ended",
            request,
            notes,
            ("give it more time with `timeout_s` under [compiler]", "leave it out with `enabled = false` there"),
        )
    if done.returncode:
        return warning(
            "EC573",
            f"`{program}` {_ended(done.returncode)}",
            request,
            notes,
            (
                "the .tflite that it was given is in the output folder: run the compiler on it to see all it says",
                "leave it out with `enabled = false` under [compiler]",
            ),
        )
    return None


def warning(code: str, message: str, request: Request, notes: tuple[str, ...], help: tuple[str, ...]) -> Diagnostic:
    """A warning about the model that was to be compiled."""
    return Diagnostic(
        code=code,
        severity=Severity.WARNING,
        message=message,
        location=Location(file=f"{request.name}.tflite"),
        notes=notes,
        help=help,
    )


def _ended(returncode: int) -> str:
    # A shell in between reports a signal as 128 and its number.
    number = -returncode if returncode < 0 else returncode - 128
    if returncode < 0 or number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGILL):
        return f"crashed ({signal.Signals(number).name})"
    return f"ended with exit code {returncode}"


def _unreadable(command: str, why: str) -> Exception:
    return bad_input(
        "EC580",
        f"the command of the compiler cannot be read: {why}",
        Location(detail="`compiler.command`"),
        notes=(f"found: {command!r}",),
        help=("write it as in a shell, `docker run --rm -v {folder}:/work -w /work IMAGE edgetpu_compiler`",),
    )
