"""A batch norm inside a layer while it is trained: float weights train better, and it is folded away afterwards."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site
from edgecompile.compress.subject import Held
from edgecompile.ir.network import Subgraph

Array = np.ndarray[Any, Any]
_NORMALIZED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_MOMENTUM = 0.98
_EPSILON = 1e-3


def can_normalize(main: Subgraph, site: Site, held: Held) -> bool:
    """Whether a factor for each output channel can be folded into the site's weights, used once, and its bias."""
    if site.operator not in _NORMALIZED or len(site.operators) > 1 or main.tensors[site.weights].dtype != "float32":
        return False
    channels = main.tensors[site.weights].shape[site.axis or 0]
    return held.codes is None or (held.scales is not None and len(held.scales) == channels)


class Normalizer:
    """``gamma * (y - mean) / sqrt(variance + epsilon) + start``, where ``start`` is the mean found by priming.

    So a layer's bias keeps its meaning and its value. ``floor``: the factor stays above zero, for
    codes would change sign.
    """

    def __init__(self, tf: Any, channels: int, floor: bool) -> None:
        self._tf, self._floor = tf, floor
        self.gamma = tf.Variable(tf.ones([channels]))
        # Devices that share a batch share its statistics, so that of several equal values the first may stand for all.
        alike = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self._mean = tf.Variable(tf.zeros([channels]), **alike)
        self._variance = tf.Variable(tf.ones([channels]), **alike)
        self._start = tf.Variable(tf.zeros([channels]), trainable=False)
        self._sums: list[tuple[int, Array, Array]] = []

    @property
    def trainable(self) -> list[Any]:
        """The factor; the offset is the layer's bias."""
        return [self.gamma]

    @property
    def statistics(self) -> list[Any]:
        """What follows the batches."""
        return [self._mean, self._variance, self._start]

    def collect(self, y: Any) -> Any:
        """Count a batch ``[n, h, w, c]`` for :meth:`prime`; the value passes unchanged."""
        rows = y.numpy().reshape(-1, y.shape[-1]).astype(np.float64)
        self._sums.append((len(rows), rows.sum(axis=0), np.square(rows).sum(axis=0)))
        return y

    def prime(self) -> None:
        """Take the statistics of what was collected as mean and variance, and undo their effect with the factor."""
        count = sum(n for n, _, _ in self._sums)
        mean = np.sum([s for _, s, _ in self._sums], axis=0) / count
        square = np.sum([q for _, _, q in self._sums], axis=0) / count
        variance = np.maximum(square - np.square(mean), 0.0)
        self._mean.assign(mean.astype(np.float32))
        self._start.assign(mean.astype(np.float32))
        self._variance.assign(variance.astype(np.float32))
        self.gamma.assign(np.sqrt(variance + _EPSILON).astype(np.float32))
        self._sums = []

    def apply(self, y: Any, training: bool) -> Any:
        """The value ``[n, h, w, c]`` normalized by the batch (training) or by the running statistics."""
        tf = self._tf
        if not training:
            factor = self._factor() * tf.math.rsqrt(self._variance + _EPSILON)
            return y * factor + (self._start - factor * self._mean)
        z, mean, variance = self._shared(y) if _devices(tf) > 1 else self._alone(y)
        self._mean.assign(_MOMENTUM * self._mean + (1 - _MOMENTUM) * mean)
        self._variance.assign(_MOMENTUM * self._variance + (1 - _MOMENTUM) * variance)
        return z

    def _alone(self, y: Any) -> tuple[Any, Any, Any]:
        z, mean, variance, *_ = self._tf.compat.v1.nn.fused_batch_norm(
            y, self._factor(), self._tf.identity(self._start), epsilon=_EPSILON, is_training=True
        )
        return z, mean, variance

    def _shared(self, y: Any) -> tuple[Any, Any, Any]:
        """As :meth:`_alone`, ``y`` being one device's samples: mean and variance are of those of all devices."""
        tf = self._tf
        add = partial(tf.distribute.get_replica_context().all_reduce, tf.distribute.ReduceOp.SUM)
        count = add(tf.cast(tf.size(y) / y.shape[-1], tf.float32))
        mean = add(tf.reduce_sum(y, [0, 1, 2])) / count
        variance = add(tf.reduce_sum(tf.square(y - mean), [0, 1, 2])) / count
        z = tf.nn.batch_normalization(y, mean, variance, self._start, self._factor(), _EPSILON)
        # What follows the batches is the estimate without bias, as the fused operator gives it.
        return z, mean, variance * count / tf.maximum(count - 1.0, 1.0)

    def fold(self) -> tuple[Array, Array]:
        """Factor for the weights' channels, and what is added to the bias; float64 ``[c]``."""
        factor = self._factor().numpy().astype(np.float64) / np.sqrt(
            self._variance.numpy().astype(np.float64) + _EPSILON
        )
        return factor, self._start.numpy() - factor * self._mean.numpy()

    def folded(self, held: Held) -> Held:
        """The promise with the factor in its scales."""
        assert held.scales is not None
        return replace(held, scales=(held.scales * self.fold()[0]).astype(np.float32))

    def _factor(self) -> Any:
        return self._tf.maximum(self.gamma, 1e-4) if self._floor else self._tf.convert_to_tensor(self.gamma)


def _devices(tf: Any) -> int:
    """How many devices compute the samples of the batch at hand."""
    context = tf.distribute.get_replica_context()
    return int(context.num_replicas_in_sync) if context is not None else 1
