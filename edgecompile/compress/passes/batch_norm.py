"""Measure the statistics of batch norms again before they are folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.batch_norm import note, reestimate
from edgecompile.compress.context import Context, Samples
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.option import option
from edgecompile.compress.subject import Subject

Array = np.ndarray[Any, Any]
# Enough samples to tell a point from another.
_MOST_SCORED = 2000


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Harmless):
    """Measure the statistics of batch norms again on training samples, and keep them where they score better.

    Moving averages lag behind the weights and saw augmented samples; no labels are needed but for validation. Wu and
    Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3.
    """

    phase: ClassVar[Literal["model", "float", "quantized"]] = "model"

    samples: int = option(2000, "training samples to measure on, at most", minimum=1)

    def adapt(self, model: Any, answers: Callable[[Sequence[Array]], list[Array]], context: Context) -> None:
        """Change ``model`` (a ``tf_keras.Model``) where that scores better; ``answers`` runs it.

        Without labels for validation nothing changes. Adds EC349 to the context's diagnostics.
        """
        given = context.train or context.calibration
        held_out, score = context.validation, context.score
        if given is None or held_out is None or score is None:
            return
        some = held_out.take(slice(0, _MOST_SCORED)) if len(held_out) > _MOST_SCORED else held_out
        found = reestimate(
            model,
            _first(given, self.samples).x,
            lambda: score.of(answers(some.x), some),
            higher_is_better=score.higher_is_better,
        )
        if found.layers:
            context.diagnostics.append(note(found, score.name))

    def run(self, subject: Subject, context: Context) -> Subject:
        """Nothing: the model was changed before it became a network."""
        return subject


def _first(samples: Samples, most: int) -> Samples:
    """Evenly spaced, for samples may lie in the order of their classes."""
    if len(samples) <= most:
        return samples
    return samples.take(np.linspace(0, len(samples) - 1, most).astype(np.intp))
