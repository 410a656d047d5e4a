"""Several values into one, one into several."""

from __future__ import annotations

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, Value


def concatenation(call: Call) -> Value:
    """Along one axis."""
    axis = call.axis(call.option("axis"), call.rank(0))
    return activate(call, call.tf.concat(call.full(*range(len(call.values))), axis))


def pack(call: Call) -> Value:
    """Along a new axis."""
    axis = call.axis(call.option("axis"), call.rank(0) + 1)
    return call.tf.stack(call.full(*range(len(call.values))), axis)


def unpack(call: Call) -> list[Value]:
    """One for each place of an axis."""
    return list(call.tf.unstack(call.values[0], axis=call.axis(call.option("axis"), call.rank(0))))


def split(call: Call) -> list[Value]:
    """Into equal parts; inputs are axis and value."""
    axis = call.axis(call.ints(0)[0], call.rank(1))
    return list(call.tf.split(call.values[1], call.option("num_splits"), axis))


def split_v(call: Call) -> list[Value]:
    """Into parts of the sizes given."""
    axis = call.axis(call.ints(2)[0], call.rank(0))
    return list(call.tf.split(call.values[0], call.ints(1), axis))


IMPLEMENTED = {
    "CONCATENATION": concatenation,
    "PACK": pack,
    "UNPACK": unpack,
    "SPLIT": split,
    "SPLIT_V": split_v,
}
MOVES = frozenset(IMPLEMENTED)
