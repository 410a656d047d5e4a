"""Re-estimate the moving statistics of a Keras model's batch norms, before they are folded into weights.

Moving averages of training lag behind the weights and saw augmented samples. Sun et al., "Hybrid 8-bit Floating Point
Training", 2019, section 3, and Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3 ("precise BN").
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.units import counted
from edgecompile.libs.keras import tensorflow, tf_keras

Array = np.ndarray[Any, Any]
_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Reestimation:
    """What became of it: ``kept``, and the scores before and after."""

    layers: int
    kept: bool
    before: float
    after: float


def reestimate(
    model: Any, inputs: Sequence[Array], score: Callable[[], float], *, higher_is_better: bool = True
) -> Reestimation:
    """Give batch norms of ``model`` (a ``tf_keras.Model``) the statistics of ``inputs``, if they score better so.

    ``inputs``: one array for each input, samples first; a few hundred or more. ``score`` judges the model as it is when
    called, on samples that are not among them. Where it does not improve, the old statistics are put back. Layers that
    are not trainable count too; nothing else changes.
    """
    norms = batch_norms(model)
    saved = [(variable, variable.numpy()) for layer in norms for variable in _statistics(layer)]
    before = score()
    if not norms:
        return Reestimation(layers=0, kept=False, before=before, after=before)
    _measure(model, norms, inputs)
    after = score()
    kept = after > before if higher_is_better else after < before
    if not kept or not all(np.isfinite(variable.numpy()).all() for variable, _ in saved):
        kept = False
        for variable, old in saved:
            variable.assign(old)
    return Reestimation(layers=len(norms), kept=kept, before=before, after=after)


def batch_norms(model: Any) -> list[Any]:
    """The batch norm layers of a model, nested ones too."""
    kind = tf_keras().layers.BatchNormalization
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


def note(found: Reestimation, score_name: str, scored: int) -> Diagnostic:
    """EC349, what the report says of it; ``scored`` samples decided."""
    scores = f"before {found.before:.4f}, after {found.after:.4f}"
    verdict = "kept" if found.kept else "put back, for it is no better"
    return Diagnostic(
        code="EC349",
        message=f"statistics of {found.layers} batch norms were measured again and {verdict}",
        severity=Severity.NOTE,
        notes=(f"{score_name} on {counted(scored, 'sample')} that were not measured: {scores}",),
        help=(),
    )


def _measure(model: Any, norms: Sequence[Any], inputs: Sequence[Array]) -> None:
    """Layer statistics over all batches, each the plain mean of its batches': momentum (k - 1) / k in the k-th."""
    tf = tensorflow()
    count = len(inputs[0])
    batches = max(1, round(count / _BATCH))
    with _as_in_training(norms):
        for number, part in enumerate(np.array_split(np.arange(count), batches)):
            for layer in norms:
                layer.momentum = number / (number + 1)
            given = [tf.constant(array[part]) for array in inputs]
            model(given[0] if len(given) == 1 else given, training=False)


@contextlib.contextmanager
def _as_in_training(norms: Sequence[Any]) -> Iterator[None]:
    """Batch norms normalize by the batch and follow it, while dropout and all else do as in inference."""
    before = [(layer, layer.momentum, layer.trainable) for layer in norms]
    for layer in norms:
        layer.trainable = True
        layer.call = _training(layer.call)
    try:
        yield
    finally:
        for layer, momentum, trainable in before:
            del layer.call
            layer.momentum, layer.trainable = momentum, trainable


def _training(call: Callable[..., Any]) -> Callable[..., Any]:
    def in_training(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return call(inputs, training=True, mask=mask) if mask is not None else call(inputs, training=True)

    return in_training


def _statistics(layer: Any) -> tuple[Any, Any]:
    return layer.moving_mean, layer.moving_variance
