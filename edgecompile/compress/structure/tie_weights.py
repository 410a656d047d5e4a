"""How operators with weights tie the channels of what they read, hold and give."""

from __future__ import annotations

import numpy as np

from edgecompile.compress.structure.channels import Array, Channels
from edgecompile.compress.structure.tie_shapes import tie_reshape
from edgecompile.ir.network import Operator

SPACE = "its size is that of a kernel or an image, not a number of channels"


def conv_2d(channels: Channels, operator: Operator) -> str | None:
    """x[n, h, w, c], weights[o, h, w, i], bias[o]; groups of i channels each where i < c."""
    x, weights, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if channels.rank(x) != 4 or channels.rank(weights) != 4:
        return "its input has not four axes"
    groups = channels.shape(x)[3] // channels.shape(weights)[3]
    _spatial(channels, x, y, 1, 2)
    channels.freeze_axes(weights, (1, 2), SPACE)
    inputs, outputs = channels.axis(x, 3), channels.axis(weights, 0)
    # Every group loses the same channels, for all have one size.
    channels.tie(inputs, np.tile(channels.axis(weights, 3), groups))
    if groups > 1:
        channels.tie(outputs, np.tile(outputs[: len(outputs) // groups], groups))
    channels.tie(outputs, channels.axis(y, 3))
    _bias(channels, operator, 2, outputs)
    return None


def depthwise_conv_2d(channels: Channels, operator: Operator) -> str | None:
    """x[n, h, w, c], weights[1, h, w, c * multiplier]: output o comes from input o // multiplier."""
    x, weights, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if channels.rank(x) != 4:
        return "its input has not four axes"
    _spatial(channels, x, y, 1, 2)
    channels.freeze_axes(weights, (0, 1, 2), SPACE)
    inputs, outputs = channels.axis(x, 3), channels.axis(weights, 3)
    if len(inputs) > 1:
        channels.tie(np.repeat(inputs, len(outputs) // len(inputs)), outputs)
    else:  # the multiplier takes any value
        channels.freeze(inputs, SPACE)
    channels.tie(outputs, channels.axis(y, 3))
    _bias(channels, operator, 2, outputs)
    return None


def fully_connected(channels: Channels, operator: Operator) -> str | None:
    """x[..., i] or any shape of n * i elements, weights[o, i], bias[o], y[n, o] or [..., o]."""
    x, weights, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if operator.options.get("weights_format", "DEFAULT") != "DEFAULT":
        return "its weights are shuffled"
    columns, outputs = channels.axis(weights, 1), channels.axis(weights, 0)
    shape, size = channels.shape(x), len(columns)
    if shape and shape[-1] == size:
        channels.tie(channels.axis(x, -1), columns)
        _leading(channels, x, y)
    else:  # flattened on reading: the columns are the elements behind the first axes
        tie_reshape(channels, x, [(weights, 1, size)], shape)
        channels.freeze_axes(y, range(channels.rank(y) - 1), SPACE)
    channels.tie(outputs, channels.axis(y, -1))
    _bias(channels, operator, 2, outputs)
    return None


def transpose_conv(channels: Channels, operator: Operator) -> str | None:
    """output shape, weights[o, h, w, i], x[n, h, w, i], bias[o]."""
    weights, x, y = operator.inputs[1], operator.inputs[2], operator.outputs[0]
    if not channels.subgraph.tensors[operator.inputs[0]].is_constant:
        return "its output's shape is computed"
    _spatial(channels, x, y, 1, 2)
    channels.freeze_axes(weights, (1, 2), SPACE)
    channels.tie_axes((x, 3), (weights, 3))
    channels.tie_axes((weights, 0), (y, 3))
    _bias(channels, operator, 3, channels.axis(weights, 0))
    return None


def conv_3d(channels: Channels, operator: Operator) -> str | None:
    """x[n, d, h, w, i], weights[d, h, w, i, o], bias[o]."""
    x, weights, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    if channels.shape(x)[4] != channels.shape(weights)[3]:
        return "it has groups"
    _spatial(channels, x, y, 1, 2, 3)
    channels.freeze_axes(weights, (0, 1, 2), SPACE)
    channels.tie_axes((x, 4), (weights, 3))
    channels.tie_axes((weights, 4), (y, 4))
    _bias(channels, operator, 2, channels.axis(weights, 4))
    return None


def batch_matmul(channels: Channels, operator: Operator) -> str | None:
    """x[..., m, k] times y[..., k, n]; either may be transposed."""
    x, y, out = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    rows, inner = (-1, -2) if operator.options.get("adj_x") else (-2, -1)
    other, columns = (-1, -2) if operator.options.get("adj_y") else (-2, -1)
    channels.tie_axes((x, inner), (y, other))
    channels.tie_axes((x, rows), (out, -2))
    channels.tie_axes((y, columns), (out, -1))
    for side in (x, y):
        for back in range(3, channels.rank(side) + 1):
            if channels.shape(side)[-back] == channels.shape(out)[-back]:
                channels.tie_axes((side, -back), (out, -back))
            else:
                channels.freeze_axes(side, (-back,), SPACE)
    return None


def gather(channels: Channels, operator: Operator) -> str | None:
    """table[rows, ...] by indices: whole rows, whose own axes come last in the output."""
    table, indices, y = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    axis = operator.options.get("axis", 0) % channels.rank(table)
    if operator.options.get("batch_dims", 0):
        return "it looks up in batches"
    channels.freeze_axes(table, (axis,), "rows are looked up by number")
    if channels.rank(indices):
        channels.freeze_tensor(indices, "these are numbers of rows")
    for i in range(axis):
        channels.tie_axes((table, i), (y, i))
    behind = channels.rank(table) - axis - 1
    for back in range(1, behind + 1):
        channels.tie_axes((table, -back), (y, -back))
    channels.freeze_axes(y, range(axis, channels.rank(y) - behind), "rows are looked up by number")
    return None


def _spatial(channels: Channels, x: int, y: int, *axes: int) -> None:
    channels.tie_axes((x, 0), (y, 0))
    channels.freeze_axes(x, axes, SPACE)
    channels.freeze_axes(y, axes, SPACE)


def _leading(channels: Channels, x: int, y: int) -> None:
    """All axes but the last: the same in output and input, or samples in a row."""
    if channels.shape(x)[:-1] == channels.shape(y)[:-1]:
        for axis in range(channels.rank(x) - 1):
            channels.tie_axes((x, axis), (y, axis))
    else:
        channels.freeze_axes(x, range(channels.rank(x) - 1), SPACE)
        channels.freeze_axes(y, range(channels.rank(y) - 1), SPACE)


def _bias(channels: Channels, operator: Operator, slot: int, outputs: Array) -> None:
    if slot < len(operator.inputs) and operator.inputs[slot] >= 0:
        channels.tie(channels.axis(operator.inputs[slot], 0), outputs)


TIES = {
    "BATCH_MATMUL": batch_matmul,
    "CONV_2D": conv_2d,
    "CONV_3D": conv_3d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "GATHER": gather,
    "TRANSPOSE_CONV": transpose_conv,
}
