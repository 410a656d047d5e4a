"""Parts of a value picked out by place: slices, rows of a table."""

from __future__ import annotations

from typing import Any

from edgecompile.compress.simulate.call import Call, Value


def slice_of(call: Call) -> Value:
    """From ``begin``, so many; -1 means all that follow."""
    return call.tf.slice(call.values[0], [0, *call.ints(1)], [-1, *call.ints(2)])


def strided_slice(call: Call) -> Value:
    """Begin, end, stride for each axis; the masks' bits move up by one for the samples' axis, which is whole."""
    begin, end, strides = call.ints(1), call.ints(2), call.ints(3)
    if call.option("offset"):
        end = [first + count for first, count in zip(begin, end, strict=True)]
    return call.tf.strided_slice(
        call.values[0],
        [0, *begin],
        [0, *end],
        [1, *strides],
        begin_mask=(call.option("begin_mask", 0) << 1) | 1,
        end_mask=(call.option("end_mask", 0) << 1) | 1,
        ellipsis_mask=call.option("ellipsis_mask", 0) << 1,
        new_axis_mask=call.option("new_axis_mask", 0) << 1,
        shrink_axis_mask=call.option("shrink_axis_mask", 0) << 1,
    )


def gather(call: Call) -> Value:
    """Rows of a table, or of an axis, at the places given."""
    tf, rank = call.tf, call.rank(0)
    axis, batch = int(call.option("axis", 0)) % rank, int(call.option("batch_dims", 0) or 0)
    if batch == 0 and call.is_constant(1):
        return tf.gather(call.values[0], call.constant(1), axis=axis + 1)
    if batch == 0 and axis == 0 and call.is_constant(0):
        return tf.gather(call.constant(0), _places(tf, call.values[1]), axis=0)
    table, places = call.full(0, 1)
    return tf.gather(table, _places(tf, places), axis=axis + 1, batch_dims=batch + 1)


def _places(tf: Any, values: Value) -> Value:
    """Whole numbers, also where samples came as floats."""
    return tf.cast(values, tf.int32) if values.dtype.is_floating else values


def gather_nd(call: Call) -> Value:
    """Elements or slices at the coordinates given."""
    table, places = call.full(0, 1)
    return call.tf.gather_nd(table, places, batch_dims=1)


IMPLEMENTED = {
    "SLICE": slice_of,
    "STRIDED_SLICE": strided_slice,
    "GATHER": gather,
    "EMBEDDING_LOOKUP": lambda call: call.tf.gather(call.constant(1), call.values[0], axis=0),
    "GATHER_ND": gather_nd,
}
MOVES = frozenset({"SLICE", "STRIDED_SLICE"})
