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
# Samples that tell means and variances.
_ENOUGH = 500


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

        Without labels for validation nothing changes. Where these are few, training samples that are not measured on
        are scored with them: no label has a part in measuring. Adds EC349 to the context's diagnostics.
        """
        given = context.train or context.calibration
        held_out, score = context.validation, context.score
        if given is None or held_out is None or score is None:
            return
        measured = _spaced(len(given), self._measured(given, held_out))
        some = _scored(held_out, given, measured)
        found = reestimate(
            model,
            given.take(measured).x,
            lambda: score.of(answers(some.x), some),
            higher_is_better=score.higher_is_better,
        )
        if found.layers:
            context.diagnostics.append(note(found, score.name, len(some)))

    def _measured(self, given: Samples, held_out: Samples) -> int:
        """How many samples to measure on: all but half of them where they are needed to score, too."""
        half = len(given) // 2 if given.y and len(held_out) < _MOST_SCORED else len(given)
        return min(self.samples, max(half, min(len(given), _ENOUGH)))

    def run(self, subject: Subject, context: Context) -> Subject:
        """Nothing: the model was changed before it became a network."""
        return subject


def _scored(held_out: Samples, given: Samples, measured: Array) -> Samples:
    """Held-out samples, and where they are few, labelled ones of ``given`` beside those ``measured``."""
    if len(held_out) >= _MOST_SCORED:
        return held_out.take(slice(0, _MOST_SCORED))
    others = np.setdiff1d(np.arange(len(given)), measured) if given.y else measured[:0]
    if not len(others):
        return held_out
    more = given.take(others[_spaced(len(others), _MOST_SCORED - len(held_out))])
    pairs = (zip(held_out.x, more.x, strict=True), zip(held_out.y, more.y, strict=True))
    return Samples(**{name: tuple(map(np.concatenate, pair)) for name, pair in zip("xy", pairs, strict=True)})


def _spaced(count: int, most: int) -> Array:
    """Evenly spaced places, for samples may lie in the order of their classes."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.intp)
