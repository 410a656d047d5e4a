"""Which state of a network is the best one so far, by samples that it does not learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgecompile.compress.context import Samples, Score
from edgecompile.compress.training.labels import Task
from edgecompile.compress.training.learner import Learner

# Parts of the held-out samples, each with enough of them to have a score.
_MOST_PARTS, _LEAST_IN_A_PART = 10, 20
_ERRORS = 2


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

    def parts(self, learner: Learner) -> tuple[float, ...]:
        """The score on each of several equal parts of the samples; nothing where there is no score, or too few."""
        count = min(_MOST_PARTS, len(self.samples or ()) // _LEAST_IN_A_PART)
        if self.samples is None or self.score is None or count < 2:
            return ()
        outputs = learner.outputs(self.samples)
        places = [np.arange(part, len(self.samples), count) for part in range(count)]
        return tuple(
            float(self.score.of([output[some] for output in outputs], self.samples.take(some))) for some in places
        )

    def by_chance(self, one: Sequence[float], other: Sequence[float]) -> bool:
        """Whether ``one`` leads by no more than two standard errors of the mean difference; both from :meth:`parts`.

        A test of differences in pairs, at about 95 % as is usual (Student, "The Probable Error of a Mean", 1908).
        """
        differences = np.subtract(one, other)
        if len(differences) < 2 or not np.isfinite(differences).all():
            return False
        lead = differences.mean() * (1 if self.score is None or self.score.higher_is_better else -1)
        return bool(lead <= _ERRORS * differences.std(ddof=1) / math.sqrt(len(differences)))
