"""Values made of one number or of a smaller value, repeated."""

from __future__ import annotations

import numpy as np

from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.ranks import widened


def fill(call: Call) -> Value:
    """One number in a known shape."""
    shape = call.ints(0)
    value = call.tf.reshape(call.values[1], [call.samples(1), *([1] * len(shape))])
    return call.tf.tile(value, [1, *shape])


def tile(call: Call) -> Value:
    """Repeated along each axis."""
    return call.tf.tile(call.values[0], [1, *call.ints(1)])


def broadcast_to(call: Call) -> Value:
    """To a known shape."""
    shape = call.ints(1)
    return call.tf.broadcast_to(widened(call, call.values[0], len(shape) + 1), [call.samples(0), *shape])


def one_hot(call: Call) -> Value:
    """Rows of ``off`` with ``on`` at one place."""
    axis = int(call.option("axis", -1))
    depth, on, off = call.ints(1)[0], call.known(2).reshape(-1)[0], call.known(3).reshape(-1)[0]
    return call.tf.one_hot(call.values[0], depth, on_value=on, off_value=off, axis=axis if axis < 0 else axis + 1)


def number_range(call: Call) -> Value:
    """Start, limit, step, all known."""
    start, limit, step = (call.known(slot).reshape(-1)[0] for slot in range(3))
    return call.tf.constant(np.arange(start, limit, step, dtype=call.known(0).dtype)[None])


def broadcast_shapes(call: Call) -> Value:
    """The shape that two known shapes broadcast to."""
    shape = np.broadcast_shapes(tuple(call.ints(0)), tuple(call.ints(1)))
    return call.tf.constant(np.array(shape, call.known(0).dtype)[None])


IMPLEMENTED = {
    "FILL": fill,
    "TILE": tile,
    "BROADCAST_TO": broadcast_to,
    "ONE_HOT": one_hot,
    "RANGE": number_range,
    "BROADCAST_ARGS": broadcast_shapes,
}
MOVES = frozenset({"TILE", "BROADCAST_TO"})
