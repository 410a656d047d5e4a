"""Learn from a teacher: the uncompressed network, or a larger model given by file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.option import option
from edgecompile.compress.subject import Distillation, Subject
from edgecompile.compress.training.options import Trained
from edgecompile.compress.training.trainer import train
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.ir.network import Network


@dataclass(frozen=True, kw_only=True)
class Distill(Trained, Harmless):
    """Train with a teacher's soft answers and inner tensors; later steps that train go on learning from it.

    Hinton et al., "Distilling the Knowledge in a Neural Network", 2015; Romero et al., "FitNets", 2015. Keeps sparsity,
    sharing, few bits, rank and channels.
    """

    teacher: str | None = option(
        None,
        "model file to learn from, seen from the project's folder; without: the network before compression",
        kind="text",
    )
    features: tuple[str, ...] = option(
        (), "inner tensors to match, by name; without: some on which both networks agree", kind="texts"
    )
    teacher_weight: float | None = option(
        0.7, "share of the loss that is the teacher's; the rest is the labels'", minimum=0, maximum=1, kind="number"
    )

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with the teacher, trained by it.

        Raises BadInputError EC319 for a teacher that the context does not have, and what ``trainer.train`` raises.
        """
        taught = replace(subject, distillation=self._distillation(subject))
        if self.teacher is not None:
            taught = replace(taught, teacher=self._given(self.teacher, context), teacher_reordered=False)
        elif subject.teacher is None:
            taught = replace(taught, teacher=subject.network, teacher_reordered=subject.reordered)
        return train(taught, self.training(), context)

    def _distillation(self, subject: Subject) -> Distillation:
        usual = subject.distillation
        return Distillation(
            teacher_weight=usual.teacher_weight if self.teacher_weight is None else self.teacher_weight,
            temperature=usual.temperature if self.temperature is None else self.temperature,
            feature_weight=usual.feature_weight if self.feature_weight is None else self.feature_weight,
            features=self.features or usual.features,
        )

    def _given(self, name: str, context: Context) -> Network:
        if name not in context.teachers:
            raise bad_input(
                "EC319",
                f"the teacher `{name}` is not there",
                location=Location(detail="`distill`, `teacher`"),
                notes=(f"teachers given: {', '.join(context.teachers) or 'none'}",),
                help=did_you_mean(name, context.teachers) or ("add it to the teachers of the context",),
            )
        return context.teachers[name]()
