"""How a stage tells that it is alive, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What the command line draws; stages call it, only ``cli`` prints."""

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts."""

    def update(self, done: int, total: int, what: str) -> None:
        """Part of the running stage is done."""

    def end(self, summary: str) -> None:
        """The running stage is finished; ``summary`` is its one line."""


class Silent:
    """A listener that says nothing: tests and library use."""

    def begin(self, stage: str, detail: str) -> None:
        """Say nothing."""

    def update(self, done: int, total: int, what: str) -> None:
        """Say nothing."""

    def end(self, summary: str) -> None:
        """Say nothing."""
