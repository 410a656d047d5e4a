"""Which state of a network is the best one so far, by samples that it does not learn from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgecompile.compress.context import Samples, Score
from edgecompile.compress.training.labels import Task
from edgecompile.compress.training.learner import Learner


@dataclass(frozen=True, kw_only=True, eq=False)
class Judge:
    """By ``score`` where there is one, else by the loss on ``samples``; without samples the newest state is the best.

    ``tasks`` hold the labels of ``samples``; they may be without.
    """

    samples: Samples | None
    score: Score | None
    tasks: tuple[Task, ...]

    @property
    def name(self) -> str:
        """What ``value`` is, for people."""
        return self.score.name if self.score is not None else "held-out loss"

    def value(self, learner: Learner) -> float | None:
        """How good the network is now; None where nothing tells."""
        if self.samples is None:
            return None
        if self.score is not None:
            return float(self.score.of(learner.outputs(self.samples), self.samples))
        labelled = bool(self.samples.y)
        return learner.loss(self.samples, lambda i: tuple(t.targets(i) for t in self.tasks) if labelled else ())

    def better(self, one: float | None, other: float | None) -> bool:
        """Whether ``one``, the newer value, takes the place of ``other``."""
        if one is None or other is None or not math.isfinite(other):
            return True
        return self.score.better(one, other) if self.score is not None else one < other
