"""How a worker process died, as a diagnostic."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, InternalError, RejectedError

_TAIL_LINES = 6
_LINE_CHARACTERS = 240
_MORE_MEMORY = "free memory, or use a machine with more"


@dataclass(frozen=True, kw_only=True)
class Crash:
    """What to say when the child dies or takes too long; signal, stage and last output are added as notes.

    ``error`` decides the exit code. ``message`` is continued: "<message>: the process was killed by SIGSEGV".
    ``inside``: what to say instead where the last stage reported has that name.
    """

    code: str
    message: str
    help: tuple[str, ...] = ()
    location: Location | None = None
    error: type[EdgecompileError] = RejectedError
    inside: Mapping[str, Crash] = field(default_factory=dict)


UNEXPECTED = Crash(
    code="EC902", message="a worker process of the compiler ended without an answer", error=InternalError
)


@dataclass(frozen=True, kw_only=True)
class Death:
    """What happened, continuing the crash's message, and what that alone suggests doing."""

    how: str
    help: tuple[str, ...] = ()


KILLED = Death(how="it was ended on purpose")


def of_returncode(returncode: int) -> Death:
    """The death behind a ``Popen.returncode``; SIGKILL is told apart, as the kernel sends it when memory runs out."""
    if returncode == -signal.SIGKILL:
        how = "the process was killed by SIGKILL, most often because memory ran out"
        return Death(how=how, help=(_MORE_MEMORY,))
    if returncode == -signal.SIGXCPU:
        return Death(how="it took more of the processor's time than it was granted")
    if returncode < 0:
        return Death(how=f"the process was killed by {_signal_name(-returncode)}")
    return Death(how=f"the process ended with exit code {returncode}")


def of_memory(place: str) -> Death:
    """Python could not have the memory it asked for at ``place`` (``file:line``)."""
    return Death(how=f"memory ran out at {place}", help=(_MORE_MEMORY,))


def of_timeout(timeout_s: float) -> Death:
    """It was ended because it took too long."""
    return Death(how=f"it took longer than {timeout_s:g} s")


def error_of(crash: Crash, death: Death, stage: str | None, tail: bytes) -> EdgecompileError:
    """The caller's crash with this death, the last stage reported and the last lines of output."""
    crash = crash.inside.get((stage or "").partition(" ")[0], crash)
    reported = (f"last stage reported: {stage}",) if stage else ()
    diagnostic = Diagnostic(
        code=crash.code,
        message=f"{crash.message}: {death.how}",
        location=crash.location,
        notes=(*reported, *_quote(tail)),
        help=(*death.help, *crash.help),
    )
    return crash.error(diagnostic)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _quote(tail: bytes) -> tuple[str, ...]:
    lines = [line.strip() for line in tail.decode(errors="replace").splitlines()]
    last = [line for line in lines if line][-_TAIL_LINES:]
    return tuple(f"last output: {line[:_LINE_CHARACTERS]}" for line in last)
