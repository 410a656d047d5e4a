"""Adam and momentum, written out: their state is plain variables that a checkpoint can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.libs.keras import tensorflow

_MOMENTUM = 0.9
_BETA = 0.999
_EPSILON = 1e-7
# A tensor of zeros still has to start moving.
_LEAST_SIZE = 1e-2


class Optimizer:
    """Changes variables by gradients, each in steps that are relative to how large its values were at the start.

    Folded batch norms leave tensors whose sizes differ by orders of magnitude; one absolute step size would
    tear the small ones and leave the large ones as they are (You et al., "Large batch optimization for deep
    learning: LAMB", 2020, scales steps for the same reason).
    """

    def __init__(self, kind: str, variables: Sequence[Any], clip: float) -> None:
        tf = tensorflow()
        self._kind, self._clip = kind, clip
        self.variables = tuple(variables)
        self._sizes = tuple(_size(variable) for variable in self.variables)
        slots = 2 if kind == "adam" else 1
        self.slots = tuple(
            tuple(tf.Variable(tf.zeros_like(variable), trainable=False) for _ in range(slots))
            for variable in self.variables
        )

    def apply(self, gradients: Sequence[Any], learning_rate: Any, step: Any) -> None:
        """One step; ``learning_rate`` and ``step`` (0 the first) are float32 scalars. A gradient may be None."""
        tf = tensorflow()
        known = [gradient for gradient in gradients if gradient is not None]
        if self._clip > 0 and known:
            norm = tf.linalg.global_norm(known)
            share = tf.minimum(1.0, self._clip / tf.maximum(norm, 1e-12))
            gradients = [None if gradient is None else gradient * share for gradient in gradients]
        move = self._adam if self._kind == "adam" else self._sgd
        for variable, gradient, slots, size in zip(self.variables, gradients, self.slots, self._sizes, strict=True):
            if gradient is not None:
                move(variable, tf.convert_to_tensor(gradient), slots, learning_rate * size, step)

    def _adam(self, variable: Any, gradient: Any, slots: Any, learning_rate: Any, step: Any) -> None:
        """Kingma and Ba, "Adam", 2015, algorithm 1, in the order of its section 2 that needs no corrected moments."""
        tf = tensorflow()
        mean, square = slots
        mean.assign(_MOMENTUM * mean + (1 - _MOMENTUM) * gradient)
        square.assign(_BETA * square + (1 - _BETA) * tf.square(gradient))
        count = step + 1.0
        rate = learning_rate * tf.sqrt(1 - _BETA**count) / (1 - _MOMENTUM**count)
        variable.assign_sub(rate * mean / (tf.sqrt(square) + _EPSILON))

    def _sgd(self, variable: Any, gradient: Any, slots: Any, learning_rate: Any, step: Any) -> None:
        """Nesterov's momentum as Sutskever et al. (2013) write it."""
        (speed,) = slots
        speed.assign(_MOMENTUM * speed + gradient)
        variable.assign_sub(learning_rate * (_MOMENTUM * speed + gradient))


def _size(variable: Any) -> float:
    values = np.asarray(variable.numpy(), np.float64)
    return max(float(np.sqrt(np.mean(np.square(values)))), _LEAST_SIZE) if values.size else 1.0
