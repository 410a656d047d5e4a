"""How operators that compute values, element by element or over axes, tie channels."""

from __future__ import annotations

from edgecompile.compress.structure.channels import Channels
from edgecompile.compress.structure.tie_shapes import PART, constant
from edgecompile.compress.structure.tie_weights import SPACE
from edgecompile.ir.network import Operator

TOGETHER = "all its values are taken together"
STRETCHED = "one value is used for all of an axis"


def elementwise(channels: Channels, operator: Operator) -> str | None:
    """Any number of inputs, broadcast against each other as NumPy does."""
    y = operator.outputs[0]
    for x in operator.inputs:
        if x < 0:
            continue
        for back in range(1, channels.rank(x) + 1):
            if channels.shape(x)[-back] == channels.shape(y)[-back]:
                channels.tie_axes((x, -back), (y, -back))
            else:
                channels.freeze_axes(x, (-back,), STRETCHED)
    return None


def pool(channels: Channels, operator: Operator) -> str | None:
    """Pools and resizing: channel by channel."""
    x, y = operator.inputs[0], operator.outputs[0]
    for tensor in (x, y):
        channels.freeze_axes(tensor, range(1, channels.rank(tensor) - 1), SPACE)
    channels.tie_axes((x, 0), (y, 0))
    channels.tie_axes((x, -1), (y, -1))
    return None


def batches(channels: Channels, operator: Operator) -> str | None:
    """SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, around dilated convolutions: the last axis goes through."""
    x, y = operator.inputs[0], operator.outputs[0]
    for tensor in (x, y):
        channels.freeze_axes(tensor, range(channels.rank(tensor) - 1), SPACE)
    channels.tie_axes((x, -1), (y, -1))
    return None


def reduce(channels: Channels, operator: Operator) -> str | None:
    """MEAN, SUM, ...: axes taken together, the others as they were."""
    x, y = operator.inputs[0], operator.outputs[0]
    axes = constant(channels, operator.inputs[1])
    if axes is None:
        return "its axes are computed"
    gone = {int(axis) % channels.rank(x) for axis in axes.reshape(-1)}
    channels.freeze_axes(x, gone, TOGETHER)
    keep = channels.rank(x) == channels.rank(y)
    if keep:
        channels.freeze_axes(y, gone, TOGETHER)
    left = [axis for axis in range(channels.rank(x)) if axis not in gone]
    for place, axis in enumerate(left):
        channels.tie_axes((x, axis), (y, axis if keep else place))
    return None


def along_last(channels: Channels, operator: Operator) -> str | None:
    """SOFTMAX, L2_NORMALIZATION, ...: the last axis is taken together."""
    elementwise(channels, operator)
    channels.freeze_axes(operator.inputs[0], (-1,), TOGETHER)
    return None


def tile(channels: Channels, operator: Operator) -> str | None:
    """Axes that are not repeated go through."""
    x, y = operator.inputs[0], operator.outputs[0]
    for axis in range(channels.rank(x)):
        if channels.shape(x)[axis] == channels.shape(y)[axis]:
            channels.tie_axes((x, axis), (y, axis))
        else:
            channels.freeze_axes(x, (axis,), PART)
            channels.freeze_axes(y, (axis,), PART)
    return None


_ELEMENTWISE = """
    ABS ADD ADD_N CAST CEIL COS DEQUANTIZE DIV ELU EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD GELU GREATER GREATER_EQUAL
    HARD_SWISH LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAXIMUM MINIMUM MUL NEG
    NOT_EQUAL POW PRELU QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SELECT_V2 SIGN SIN SQRT SQUARE
    SQUARED_DIFFERENCE SUB TANH ZEROS_LIKE
"""
TIES = {
    **dict.fromkeys(_ELEMENTWISE.split(), elementwise),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), pool),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), pool),
    **dict.fromkeys(("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND"), batches),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), reduce),
    **dict.fromkeys(("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION", "LOCAL_RESPONSE_NORMALIZATION"), along_last),
    "TILE": tile,
}
