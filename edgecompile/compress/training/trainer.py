"""Train a subject's network, float or integer, as the device will run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgecompile.compress.context import Context
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Training

if TYPE_CHECKING:
    from edgecompile.compress.simulate.simulation import Simulation

    Adjust = Callable[[int, int, Simulation], bool | None]


def train(
    subject: Subject, how: Training, context: Context, *, adjust: Adjust | None = None, identity: str = ""
) -> Subject:
    """The subject after training: its network's weights, and ``held`` with the codes and scales as trained.

    ``adjust(step, steps, simulation)`` is called before each step, step 0 being the first, and once more after the last
    with ``step == steps``; it returns True when the simulation is as it must end (a pruning schedule is through):
    only such epochs, and the last, can be the best checkpoint. ``identity`` is text that changes whenever ``adjust``
    would act differently: checkpoints are found by it.
    """
    raise NotImplementedError
