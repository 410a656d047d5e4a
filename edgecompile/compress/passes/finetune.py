"""Train the float network further, with labels or with the uncompressed network's answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Trained
from edgecompile.compress.training.trainer import train
from edgecompile.core.diagnostic import Diagnostic


@dataclass(frozen=True, kw_only=True)
class Finetune(Trained):
    """Train the float network further; what earlier steps made of its weights stays.

    Keeps sparsity, sharing, few bits, rank and channels.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    @property
    def makes(self) -> frozenset[str]:
        """Nothing but accuracy."""
        return frozenset()

    @property
    def keeps(self) -> frozenset[str]:
        """All that earlier passes made: training is bound by what is held."""
        return frozenset(PROPERTIES)

    @property
    def trains(self) -> bool:
        """It does nothing else."""
        return self.epochs > 0

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with trained weights. Raises what ``trainer.train`` raises.

        A network that is its own teacher learns from labels alone, where there are any: its old answers hold it back.
        The trained one, uncompressed as it is, is the teacher of the steps that follow.
        """
        how, own = self.training(), subject.teacher is None or subject.teacher is subject.network
        if own and how.teacher_weight is None:
            how = replace(how, teacher_weight=0.0)
        trained = train(subject, how, context)
        return replace(trained, teacher=trained.network) if own and not subject.held else trained

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 where held weights changed otherwise than they may."""
        return broken_promises(before, after)

    def undone_help(self, lost: str) -> str:
        """Never asked: nothing is undone."""
        return f"`finetune` keeps the {lost}"
