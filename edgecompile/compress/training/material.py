"""The samples of a run: which it trains on, which it is held against, and what to say where some are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.training.draws import order
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import rejected
from edgecompile.core.units import counted

Array = np.ndarray[Any, Any]

LEAST_TRAINED = 16  # fewer samples give a gradient that says more about them than about the task
LEAST_HELD_OUT = 16
_HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """``train`` has labels or none; ``held_out`` chooses the checkpoint, None: there are too few samples for it."""

    train: Samples
    held_out: Samples | None

    @property
    def labelled(self) -> bool:
        """Whether there are labels to learn from."""
        return bool(self.train.y)


def material_of(context: Context) -> Material:
    """What the context gives to train on: the training samples, else calibration samples, which have no labels.

    Without validation samples a tenth of the training samples is held out. Adds to ``context.diagnostics``: EC310
    (note) where there are no labels, EC312 (warning) where nothing can be held out. Raises RejectedError EC312 where
    there is too little to train on.
    """
    train = context.train if context.train is not None and len(context.train) else context.calibration
    found = len(train) if train is not None else 0
    if train is None or found < LEAST_TRAINED:
        raise rejected(
            "EC312",
            "there are too few samples to train on",
            notes=(f"at least {LEAST_TRAINED} training or calibration samples", f"found: {found}"),
            help=("give more data with `--data`", "or take the steps that train out of the recipe, or `epochs = 0`"),
        )
    if train is not context.train:
        train = Samples(x=train.x)
    if not train.y:
        context.diagnostics.append(_unlabelled(context, found))
    if context.validation is not None and len(context.validation):
        return Material(train=train, held_out=context.validation)
    return _divided(train, context)


def _divided(train: Samples, context: Context) -> Material:
    count = int(len(train) * _HELD_OUT_SHARE)
    if count < LEAST_HELD_OUT:
        context.diagnostics.append(
            Diagnostic(
                code="EC312",
                message="there are too few samples to hold some out: the last epoch is kept, not the best",
                severity=Severity.WARNING,
                notes=(
                    f"a tenth, and at least {LEAST_HELD_OUT} samples are held out",
                    f"found: {counted(len(train), 'sample')}",
                ),
                help=("give validation samples", "or more training samples"),
            )
        )
        return Material(train=train, held_out=None)
    shuffled = order(context.seed, -1 % 2**32, len(train))
    return Material(train=train.take(np.sort(shuffled[count:])), held_out=train.take(np.sort(shuffled[:count])))


def _unlabelled(context: Context, found: int) -> Diagnostic:
    kind = "training" if context.train is not None and len(context.train) else "calibration"
    return Diagnostic(
        code="EC310",
        message="there are no labels: training learns from the uncompressed network's answers",
        severity=Severity.NOTE,
        notes=(f"used: {counted(found, f'{kind} sample')} without labels",),
        help=("labels for the training samples make more accurate networks",),
    )
