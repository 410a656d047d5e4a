"""Find out which operator costs how much accuracy in integers; nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.option import option
from edgecompile.compress.sensitivity import sensitivities
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Put into the report which operator costs how much accuracy when it alone is in integers; change nothing.

    What stands first is what `mixed_precision` would leave in float, and what other layers or more training should
    help.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    most: int = option(20, "how many operators the report lists, the most costly first", minimum=1)

    @property
    def makes(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    @property
    def keeps(self) -> frozenset[str]:
        """Everything."""
        return frozenset(PROPERTIES)

    @property
    def trains(self) -> bool:
        """It needs samples to measure with only."""
        return False

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject; what was found goes into the step's record.

        Raises EC340 without the float network, EC341 without samples.
        """
        context.sensitivities.extend(sensitivities(subject, context)[: self.most])
        return subject

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """Nothing is promised."""
        return ()

    def undone_help(self, lost: str) -> str:
        """Never asked: nothing is undone."""
        return f"`sensitivity` keeps {lost}"
