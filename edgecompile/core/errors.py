"""The error tree; the class says how the process ends.

EdgecompileError
|- BadInputError      exit 2   usage, configuration, model or data that cannot be read (EC1xx, EC2xx)
|- RejectedError      exit 1   read, but it will not do: operators, budgets, accuracy (EC3xx to EC7xx)
|- MissingError       exit 3   a program or library that this needs is not installed
`- InternalError      exit 70  we broke (EC9xx)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from edgecompile.core.diagnostic import Diagnostic, Location


class EdgecompileError(Exception):
    """Carries one or more diagnostics; never shown as a traceback."""

    exit_code = 70

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics


class BadInputError(EdgecompileError):
    """Usage, configuration, or an input that cannot be read."""

    exit_code = 2


class RejectedError(EdgecompileError):
    """The input was understood and does not meet the target, the budget or the accuracy."""

    exit_code = 1


class MissingError(EdgecompileError):
    """A program or library is not installed."""

    exit_code = 3


class InternalError(EdgecompileError):
    """A fault of ours."""

    exit_code = 70


_KINDS: tuple[type[EdgecompileError], ...] = (BadInputError, RejectedError, MissingError, InternalError)


def _make(
    kind: type[EdgecompileError],
    code: str,
    message: str,
    location: Location | str | None,
    notes: Iterable[str],
    help: Iterable[str],
) -> EdgecompileError:
    place = Location(file=location) if isinstance(location, str) else location
    return kind(Diagnostic(code=code, message=message, location=place, notes=tuple(notes), help=tuple(help)))


def bad_input(
    code: str, message: str, location: Location | str | None = None, notes: Iterable[str] = (), help: Iterable[str] = ()
) -> EdgecompileError:
    """A :class:`BadInputError` with one diagnostic, to be raised by the caller."""
    return _make(BadInputError, code, message, location, notes, help)


def rejected(
    code: str, message: str, location: Location | str | None = None, notes: Iterable[str] = (), help: Iterable[str] = ()
) -> EdgecompileError:
    """A :class:`RejectedError` with one diagnostic, to be raised by the caller."""
    return _make(RejectedError, code, message, location, notes, help)


def missing(
    code: str, message: str, location: Location | str | None = None, notes: Iterable[str] = (), help: Iterable[str] = ()
) -> EdgecompileError:
    """A :class:`MissingError` with one diagnostic, to be raised by the caller."""
    return _make(MissingError, code, message, location, notes, help)


def internal(
    code: str, message: str, location: Location | str | None = None, notes: Iterable[str] = (), help: Iterable[str] = ()
) -> EdgecompileError:
    """An :class:`InternalError` with one diagnostic, to be raised by the caller."""
    return _make(InternalError, code, message, location, notes, help)


def from_exit_code(exit_code: int, diagnostics: Iterable[Diagnostic]) -> EdgecompileError:
    """The error of that exit code, for diagnostics that came from a child process."""
    kind = next((k for k in _KINDS if k.exit_code == exit_code), InternalError)
    return kind(*diagnostics)


def did_you_mean(found: str, known: Iterable[str]) -> tuple[str, ...]:
    """Help lines naming the nearest known spelling, or nothing when none is near."""
    near = difflib.get_close_matches(found, sorted(known), n=1, cutoff=0.6)
    return (f"did you mean `{near[0]}`?",) if near else ()
