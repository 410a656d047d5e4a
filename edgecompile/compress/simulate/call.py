"""One operator about to be computed: what it is, the values it reads, and what of them is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgecompile.ir.network import Operator, Tensor

Array = np.ndarray[Any, Any]
# A TensorFlow tensor; TensorFlow has no types that mypy knows.
Value = Any


class UnsupportedError(Exception):
    """The operator, as it stands here, has no simulation; the text says why. Becomes EC350."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """An operator and its inputs.

    ``values``: ``[n, *shape]`` for each input, the samples in front of the network's own shape (batch of one included);
    what does not depend on the samples has ``n`` of 1. None for an input left out. ``constants``: NumPy arrays
    of ``shape`` where the value is known beforehand. ``weights``: trained values of ``shape`` by input slot.
    ``clips``: whether the output's own range cuts at zero below (and at 6 above), so that RELU (RELU6) changes nothing.
    ``normalize``: a batch norm to apply to ``[rows, h, w, c]`` before the bias.
    """

    tf: Any
    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    values: tuple[Value, ...]
    constants: tuple[Array | None, ...]
    weights: Mapping[int, Value] = field(default_factory=dict)
    clips: frozenset[str] = frozenset()
    normalize: Callable[[Value], Value] | None = None

    def option(self, name: str, default: Any = None) -> Any:
        """A setting of the operator, ``default`` where the options table does not have it."""
        return self.operator.options.get(name, default)

    def has(self, slot: int) -> bool:
        """Whether that input is given."""
        return slot < len(self.values) and self.values[slot] is not None

    def known(self, slot: int) -> Array:
        """The input as a NumPy array. Raises UnsupportedError where it depends on the samples."""
        array = self.constants[slot] if slot < len(self.constants) else None
        if array is None:
            raise UnsupportedError(f"input {slot} is computed at run time; it must be constant")
        return array

    def ints(self, slot: int) -> list[int]:
        """A known input as a flat list of whole numbers: axes, sizes, paddings."""
        return [int(value) for value in self.known(slot).reshape(-1)]

    def constant(self, slot: int) -> Value:
        """Weights, a bias or another constant, of ``shape`` without samples. Raises UnsupportedError if computed."""
        if slot in self.weights:
            return self.weights[slot]
        return self.tf.constant(self.known(slot))

    def is_constant(self, slot: int) -> bool:
        """Whether :meth:`constant` gives that input."""
        return slot in self.weights or (slot < len(self.constants) and self.constants[slot] is not None)

    def rank(self, slot: int) -> int:
        """Axes of the input, without that of the samples."""
        return len(self.values[slot].shape) - 1

    def axis(self, value: int, rank: int) -> int:
        """An axis of the network as one of the value: counted from the front, behind the samples."""
        return int(value) % rank + 1 if rank else 1

    def samples(self, *slots: int) -> Any:
        """How many samples the values hold: a number where it is known, else a scalar tensor."""
        counts = [count_of(self.tf, self.values[slot]) for slot in slots if self.has(slot)]
        return next((count for count in counts if not (isinstance(count, int) and count == 1)), 1)

    def full(self, *slots: int) -> list[Value]:
        """The inputs with constants repeated for every sample."""
        count = self.samples(*slots)
        return [repeat(self.tf, self.values[slot], count) for slot in slots]

    def images(self, slot: int) -> Value:
        """The input with samples and batch merged: ``[n * b, ...]``."""
        value = self.values[slot]
        return self.tf.reshape(value, [-1, *value.shape[2:]])

    def unmerge(self, value: Value, slot: int) -> Value:
        """The inverse of :meth:`images`, with as many samples as input ``slot`` has."""
        batch = self.values[slot].shape[1]
        if batch == 1:
            return self.tf.expand_dims(value, 1)
        return self.tf.reshape(value, [-1, batch, *value.shape[1:]])


def count_of(tf: Any, value: Value) -> Any:
    """Samples of a value: a number where known."""
    known = value.shape[0]
    return int(known) if known is not None else tf.shape(value)[0]


def repeat(tf: Any, value: Value, count: Any) -> Value:
    """The value for ``count`` samples, where it was the same for all."""
    if value.shape[0] != 1 or (isinstance(count, int) and count == 1):
        return value
    return tf.repeat(value, count, axis=0)
