"""What the compiler says, as data; renderers live in ``report`` and ``cli``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(str, Enum):
    """How much a diagnostic matters: an error stops the build, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Location:
    """The narrowest place a diagnostic is about; every part may be absent.

    ``operator`` is the index in the subgraph, ``layer`` the Keras layer (or tensor name)
    it came from, ``detail`` whatever narrows it further (a TOML key, a type signature).
    """

    file: str | None = None
    operator: int | None = None
    layer: str | None = None
    detail: str | None = None

    def __str__(self) -> str:
        parts = [self.file] if self.file else []
        if self.operator is not None:
            layer = f" (layer `{self.layer}`)" if self.layer else ""
            parts.append(f"operator {self.operator}{layer}")
        elif self.layer:
            parts.append(f"layer `{self.layer}`")
        if self.detail:
            parts.append(self.detail)
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One cause, told once: what happened, where, the facts (notes) and the cures (help).

    ``code`` is ``EC`` and three digits; its page is ``explanations/<code>.md``. Notes carry
    limit, found value and source. ``consequences`` counts what else this cause explains.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    location: Location | None = None
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    consequences: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, read back by :func:`from_dict`."""
        plain = asdict(self)
        plain["severity"] = self.severity.value
        plain["notes"], plain["help"] = list(self.notes), list(self.help)
        return plain

    def render(self) -> str:
        """The diagnostic as plain text, in the form of the design's section 5.

        Much of it is quoted from the user's files: characters that a terminal obeys are escaped.
        """
        lines = [f"{self.severity.value}[{self.code}]: {escaped(self.message)}"]
        if self.location is not None and str(self.location):
            lines.append(f"  --> {escaped(str(self.location))}")
        lines += [f"   = note: {_in_lines(note)}" for note in self.notes]
        lines += [f"   = help: {_in_lines(remedy)}" for remedy in self.help]
        return "\n".join([*lines, f"   = more: edgecompile explain {self.code}"])


def escaped(text: str) -> str:
    """The text with control characters escaped, ends of lines too, and surrogates, which no stream takes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _in_lines(text: str) -> str:
    """Later lines below where the first begins, so that nothing quoted looks like a message of ours."""
    return "\n           ".join(escaped(line) for line in text.split("\n"))


def from_dict(plain: dict[str, Any]) -> Diagnostic:
    """The inverse of :meth:`Diagnostic.to_dict`; used where diagnostics cross a process."""
    location = plain.get("location")
    return Diagnostic(
        code=plain["code"],
        message=plain["message"],
        severity=Severity(plain["severity"]),
        location=Location(**location) if location else None,
        notes=tuple(plain["notes"]),
        help=tuple(plain["help"]),
        consequences=plain["consequences"],
    )
