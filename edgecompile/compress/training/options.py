"""How a network is trained: the values, and the options of a recipe's step that set them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgecompile.compress.option import option
from edgecompile.core.diagnostic import Diagnostic

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("cosine", "constant")
AUGMENTATIONS = ("flip", "shift", "noise", "mixup", "time_shift")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What ``trainer.train`` does; see the options of :class:`Trained` for the meaning of those that have one there.

    The loss is ``(1 - teacher_weight) * labels + teacher_weight * teacher + feature_weight * features``. None for
    ``teacher_weight``, ``feature_weight`` and ``temperature``: as the subject's ``distillation`` says. ``warmup`` is
    the share of all steps over which the learning rate rises from 0; ``clip`` bounds the norm of all gradients
    together (0: no bound). ``patience`` None: as ``patience.runs_out`` says. ``normalize`` None: where it can be done.
    Of a step that trains in several runs, ``before`` are the epochs of those before this one, and ``asked`` is what
    its options say, None: this. ``usual_rate`` is the learning rate that its pass has by itself.
    """

    epochs: int = 4
    learning_rate: float = 1e-3
    batch_size: int = 64
    optimizer: str = "adam"
    schedule: str = "cosine"
    warmup: float = 0.05
    clip: float = 5.0
    temperature: float | None = None
    teacher_weight: float | None = None
    feature_weight: float | None = None
    augment: tuple[str, ...] = ()
    patience: int | None = None
    normalize: bool | None = None
    before: int = 0
    asked: Training | None = None
    usual_rate: float = 1e-3

    @property
    def as_asked(self) -> Training:
        """What the options of the step say."""
        return self.asked or self

    def epoch(self, done: int) -> str:
        """``7 of 10``: so many epochs of this run, in all of those that were asked for."""
        return f"{self.before + done} of {self.as_asked.epochs}"

    def part(self, epochs: int, *, before: int = 0, slower: float = 1.0) -> Training:
        """A run of some of these epochs, behind others, at a rate that is so many times lower."""
        rate = self.learning_rate / slower
        return replace(self, epochs=epochs, before=before, learning_rate=rate, asked=self.as_asked)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The options that all passes which train share; a pass inherits them, and may give a field another default."""

    epochs: int = option(4, "how often training sees every sample; 0: no training", minimum=0, maximum=10_000)
    learning_rate: float = option(1e-3, "step size at its highest, relative to the size of the weights", above=0)
    batch_size: int = option(64, "samples in a training step", minimum=1)
    optimizer: str = option("adam", "how weights follow gradients", choices=OPTIMIZERS)
    schedule: str = option("cosine", "course of the learning rate after the warmup", choices=SCHEDULES)
    temperature: float | None = option(None, "how soft the teacher's answers are made", above=0, kind="number")
    teacher_weight: float | None = option(
        None, "share of the loss that is the teacher's; the rest is the labels'", minimum=0, maximum=1, kind="number"
    )
    feature_weight: float | None = option(
        None, "weight of matching the teacher's inner tensors", minimum=0, kind="number"
    )
    augment: tuple[str, ...] = option(
        (),
        "changes of training samples, at random, in this order; or `file.py:function`, called as function(x, y, seeds)",
        kind="texts",
        choices=AUGMENTATIONS,
        entries=True,
    )
    patience: int | None = option(
        None,
        "epochs without a better score after which training ends; 0: never; unless given a quarter of all, at least 8,"
        " of a cosine's second half",
        minimum=0,
        kind="integer",
    )
    normalize: bool | None = option(
        None, "batch norm while a float network trains, folded afterwards; where it can be, unless given", kind="flag"
    )

    @property
    def trains(self) -> bool:
        """Unless there are no epochs."""
        return self.epochs > 0

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """None of its options exclude each other."""
        return ()

    def training(self) -> Training:
        """These options as the trainer takes them."""
        return Training(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            schedule=self.schedule,
            temperature=self.temperature,
            teacher_weight=self.teacher_weight,
            feature_weight=self.feature_weight,
            augment=self.augment,
            patience=self.patience,
            normalize=self.normalize,
            usual_rate=type(self).learning_rate,
        )
