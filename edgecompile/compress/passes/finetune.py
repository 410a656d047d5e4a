"""Train the float network further, with labels or with the uncompressed network's answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Trained
from edgecompile.compress.training.trainer import train


@dataclass(frozen=True, kw_only=True)
class Finetune(Trained, Harmless):
    """Train the float network further; what earlier steps made of its weights stays.

    Keeps sparsity, sharing, few bits, rank and channels.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with trained weights. Raises what ``trainer.train`` raises.

        A network that is its own teacher learns from labels alone, where there are any: its old answers hold it back.
        The trained one, uncompressed as it is, is the teacher of the steps that follow.
        """
        how, own = self.training(), subject.teacher is None or subject.teacher is subject.network
        if own and how.teacher_weight is None:
            how = replace(how, teacher_weight=0.0)
        trained = train(subject, how, context)
        if not own or subject.held:
            return trained
        return replace(trained, teacher=trained.network, teacher_reordered=trained.reordered)
