"""The same elements in another shape or order: what is moved keeps its integers."""

from __future__ import annotations

import numpy as np

from edgecompile.compress.simulate.call import Call, Value


def reshape(call: Call) -> Value:
    """To the shape given, or else to the one the output has."""
    value = call.values[0]
    shape = list(call.outputs[0].shape)
    if len(call.constants) > 1 and call.constants[1] is not None:
        shape = call.ints(1)
    elements = int(np.prod(value.shape[1:], dtype=np.int64))
    if -1 in shape:
        rest = int(np.prod([size for size in shape if size != -1], dtype=np.int64))
        shape = [elements // rest if size == -1 else size for size in shape]
    return call.tf.reshape(value, [call.samples(0), *shape])


def squeeze(call: Call) -> Value:
    """Without the axes named, or without all of size one."""
    axes = call.option("squeeze_dims") or [i for i, size in enumerate(call.values[0].shape[1:]) if size == 1]
    axes = [call.axis(axis, call.rank(0)) for axis in axes]
    return call.tf.squeeze(call.values[0], axes) if axes else call.values[0]


def expand_dims(call: Call) -> Value:
    """With an axis of size one more."""
    return call.tf.expand_dims(call.values[0], call.axis(call.ints(1)[0], call.rank(0) + 1))


def transpose(call: Call) -> Value:
    """Axes in another order."""
    return call.tf.transpose(call.values[0], [0, *(axis + 1 for axis in call.ints(1))])


def reverse(call: Call) -> Value:
    """Back to front along the axes named."""
    return call.tf.reverse(call.values[0], [call.axis(axis, call.rank(0)) for axis in call.ints(1)])


IMPLEMENTED = {
    "RESHAPE": reshape,
    "SQUEEZE": squeeze,
    "EXPAND_DIMS": expand_dims,
    "TRANSPOSE": transpose,
    "REVERSE_V2": reverse,
}
# Each element of the output is one of the input: nothing to quantize anew where both have one scale.
MOVES = frozenset(IMPLEMENTED)
