"""How operators that move values tie the channels of what they read to those of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.compress.structure.channels import Array, Channels
from edgecompile.ir.network import Operator

SPLIT = "one of several sizes that multiply to the number of channels"
MIXED = "several sizes are mixed into several others"
PART = "a part of it is cut out by position"
Axis = tuple[int, int, int]  # tensor, axis, size


def reshape(channels: Channels, operator: Operator) -> str | None:
    """The same elements in row-major order in another shape."""
    x, y = operator.inputs[0], operator.outputs[0]
    if operator.name == "RESHAPE" and len(operator.inputs) > 1 and constant(channels, operator.inputs[1]) is None:
        return "its output's shape is computed"
    sizes = channels.shape(y)
    tie_reshape(channels, x, [(y, axis, size) for axis, size in enumerate(sizes)], channels.shape(x))
    return None


def tie_reshape(channels: Channels, x: int, outputs: Sequence[Axis], shape: Sequence[int]) -> None:
    """Tie the axes of ``x`` to the given axes, both holding the same elements in row-major order.

    The outputs may be the last axes only: then leading axes of ``x`` are theirs to multiply, and stay.
    """
    ones = [(x, axis, size) for axis, size in enumerate(shape)]
    others = list(outputs)
    while others:
        left, right = [others.pop()], [ones.pop()] if ones else []
        while _product(left) != _product(right):
            side, source = (right, ones) if _product(right) < _product(left) else (left, others)
            if not source:
                break
            side.insert(0, source.pop())
        _tie_block(channels, right, left)
    for tensor, axis, _ in ones:
        channels.freeze_axes(tensor, (axis,), SPLIT)


def _tie_block(channels: Channels, ones: list[Axis], others: list[Axis]) -> None:
    """Axes whose sizes multiply to the same number. Axes of size 1 say nothing."""
    for tensor, axis, size in (*ones, *others):
        if size == 1:
            channels.freeze_axes(tensor, (axis,), SPLIT)
    left, right = ([entry for entry in side if entry[2] > 1] for side in (ones, others))
    if [size for *_, size in left] == [size for *_, size in right]:
        for one, other in zip(left, right, strict=True):
            channels.tie_axes(one[:2], other[:2])
    elif len(left) == 1:
        channels.later(lambda: _choose(channels, right, left[0]))
    elif len(right) == 1:
        channels.later(lambda: _choose(channels, left, right[0]))
    else:
        for tensor, axis, _ in (*left, *right):
            channels.freeze_axes(tensor, (axis,), MIXED)


def _choose(channels: Channels, many: list[Axis], whole: Axis) -> None:
    """One axis is several, multiplied: one of those can lose slices (the last that may), and the others stay.

    The classes of a long axis can also be tied so already, by another operator: any choice is right.
    """
    free = [i for i, entry in enumerate(many) if not channels.is_frozen(channels.axis(*entry[:2]))]
    chosen = free[-1] if free else len(many) - 1
    for i, (tensor, axis, _) in enumerate(many):
        if i != chosen:
            channels.freeze_axes(tensor, (axis,), SPLIT)
    sizes = [size for *_, size in many]
    index = np.indices(sizes)[chosen].reshape(-1)
    channels.tie(channels.axis(*whole[:2]), channels.axis(*many[chosen][:2])[index])


def _product(axes: Sequence[Axis]) -> int:
    return int(np.prod([size for *_, size in axes], dtype=np.int64))


def transpose(channels: Channels, operator: Operator) -> str | None:
    """Axes in another order."""
    order = constant(channels, operator.inputs[1])
    if order is None:
        return "its order is computed"
    for axis, source in enumerate(order.reshape(-1).tolist()):
        channels.tie_axes((operator.inputs[0], source), (operator.outputs[0], axis))
    return None


def concatenation(channels: Channels, operator: Operator) -> str | None:
    """Inputs one behind another along an axis."""
    y = operator.outputs[0]
    along = operator.options["axis"] % channels.rank(y)
    tie_others(channels, operator.inputs, [y], along)
    channels.tie(np.concatenate([channels.axis(x, along) for x in operator.inputs]), channels.axis(y, along))
    return None


def split(channels: Channels, operator: Operator) -> str | None:
    """SPLIT (axis, x) into equal parts, SPLIT_V (x, sizes, axis) into parts of any size."""
    equal = operator.name == "SPLIT"
    x, axis = (operator.inputs[1], operator.inputs[0]) if equal else (operator.inputs[0], operator.inputs[2])
    number = constant(channels, axis)
    if number is None or (not equal and constant(channels, operator.inputs[1]) is None):
        return "its parts are computed"
    along = int(number.reshape(-1)[0]) % channels.rank(x)
    tie_others(channels, [x], operator.outputs, along)
    parts = [channels.axis(y, along) for y in operator.outputs]
    channels.tie(channels.axis(x, along), np.concatenate(parts))
    if equal:
        for part in parts[1:]:
            channels.tie(parts[0], part)
    return None


def pad(channels: Channels, operator: Operator) -> str | None:
    """x in the middle of y; what is put around it is sliced like a channel of its own."""
    x, y = operator.inputs[0], operator.outputs[0]
    margins = constant(channels, operator.inputs[1])
    if margins is None:
        return "its margins are computed"
    for axis, (before, after) in enumerate(margins.tolist()):
        if (before or after) and operator.name == "MIRROR_PAD":
            channels.freeze_axes(x, (axis,), "it is mirrored")
            channels.freeze_axes(y, (axis,), "it is mirrored")
        else:
            inner = channels.axis(y, axis)[before : before + channels.shape(x)[axis]]
            channels.tie(channels.axis(x, axis), inner)
    return None


def cut(channels: Channels, operator: Operator) -> str | None:
    """SLICE (x, begin, size): the indices from begin on."""
    x, y = operator.inputs[0], operator.outputs[0]
    begin = constant(channels, operator.inputs[1])
    if begin is None or constant(channels, operator.inputs[2]) is None:
        return "where it cuts is computed"
    for axis, start in enumerate(begin.reshape(-1).tolist()):
        channels.tie(channels.axis(x, axis)[start : start + channels.shape(y)[axis]], channels.axis(y, axis))
    return None


def strided_slice(channels: Channels, operator: Operator) -> str | None:
    """Axes that are taken whole go through; others stay as they are."""
    x, y = operator.inputs[0], operator.outputs[0]
    masks = [operator.options.get(name, 0) for name in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")]
    if any(masks) or channels.rank(x) != channels.rank(y):
        return "it cuts axes away"
    if any(constant(channels, index) is None for index in operator.inputs[1:4]):
        return "where it cuts is computed"
    strides = constant(channels, operator.inputs[3])
    assert strides is not None
    for axis in range(channels.rank(x)):
        stride = int(strides[axis]) if axis < len(strides) else 1
        if stride == 1 and channels.shape(x)[axis] == channels.shape(y)[axis]:
            channels.tie_axes((x, axis), (y, axis))
        else:
            channels.freeze_axes(x, (axis,), PART)
            channels.freeze_axes(y, (axis,), PART)
    return None


def pack(channels: Channels, operator: Operator) -> str | None:
    """PACK makes a new axis, UNPACK takes one away."""
    packs = operator.name == "PACK"
    whole = operator.outputs[0] if packs else operator.inputs[0]
    axis = operator.options.get("axis", 0) % channels.rank(whole)
    channels.freeze_axes(whole, (axis,), PART)
    for part in operator.inputs if packs else operator.outputs:
        for i in range(channels.rank(part)):
            channels.tie_axes((part, i), (whole, i + (i >= axis)))
    return None


def depth_and_space(channels: Channels, operator: Operator) -> str | None:
    """DEPTH_TO_SPACE reads channel (block, c) for channel c; SPACE_TO_DEPTH the other way round."""
    x, y = operator.inputs[0], operator.outputs[0]
    deep, wide = (x, y) if operator.name == "DEPTH_TO_SPACE" else (y, x)
    for tensor in (x, y):
        channels.freeze_axes(tensor, (1, 2), PART)
    channels.tie_axes((x, 0), (y, 0))
    few = channels.axis(wide, 3)
    channels.tie(channels.axis(deep, 3), np.tile(few, channels.shape(deep)[3] // len(few)))
    return None


def tie_others(channels: Channels, ones: Sequence[int], others: Sequence[int], along: int) -> None:
    """All axes but one are the same in all tensors."""
    for tensor in (*ones[1:], *others):
        for axis in range(channels.rank(tensor)):
            if axis != along:
                channels.tie_axes((ones[0], axis), (tensor, axis))


def constant(channels: Channels, tensor: int) -> Any:
    """The values of a constant, None where they are computed."""
    value: Array | None = channels.subgraph.tensors[tensor].array
    return value


TIES = {
    "CONCATENATION": concatenation,
    "DEPTH_TO_SPACE": depth_and_space,
    "EXPAND_DIMS": reshape,
    "MIRROR_PAD": pad,
    "PACK": pack,
    "PAD": pad,
    "PADV2": pad,
    "RESHAPE": reshape,
    "SLICE": cut,
    "SPACE_TO_DEPTH": depth_and_space,
    "SPLIT": split,
    "SPLIT_V": split,
    "SQUEEZE": reshape,
    "STRIDED_SLICE": strided_slice,
    "TRANSPOSE": transpose,
    "UNPACK": pack,
}
