"""What passes promise that make nothing and undo nothing: most of them; each says otherwise where it does."""

from __future__ import annotations

from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic


class Harmless:
    """Zeros, shared values and all else that earlier passes made stay; no training samples are needed."""

    @property
    def makes(self) -> frozenset[str]:
        """Nothing that could be undone."""
        return frozenset()

    @property
    def keeps(self) -> frozenset[str]:
        """Everything."""
        return frozenset(PROPERTIES)

    @property
    def trains(self) -> bool:
        """Calibration or validation samples are enough."""
        return False

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """None of its options exclude each other."""
        return ()

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 for weights that are not what is held of them."""
        return broken_promises(before, after)

    def undone_help(self, lost: str) -> str:
        """Never asked: nothing is undone."""
        return f"this step keeps the {lost}"
