"""Find out which operator costs how much accuracy in integers; nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.option import option
from edgecompile.compress.sensitivity import sensitivities
from edgecompile.compress.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Harmless):
    """Put into the report which operator costs how much accuracy when it alone is in integers; change nothing.

    What stands first is what `mixed_precision` would leave in float, and what other layers or more training should
    help.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    most: int = option(20, "how many operators the report lists, the most costly first", minimum=1)

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject; what was found goes into the step's record.

        Raises EC340 without the float network, EC341 without samples.
        """
        context.sensitivities.extend(sensitivities(subject, context)[: self.most])
        return subject
