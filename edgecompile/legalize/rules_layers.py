"""Rules of delegates on single kinds of layers: channels, windows, blocks, branches, broadcasting."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.core.units import counted
from edgecompile.ir.network import Tensor
from edgecompile.legalize.context import Context


def depthwise_channels(context: Context, limit: bool) -> str | None:
    """it has as many output channels as input channels times `depth_multiplier`, which is 1 or works on one channel

    use `depth_multiplier=1`, or a convolution
    """
    data, weights, output = context.data, context.weights, next(iter(context.outputs), None)
    multiplier = context.option("depth_multiplier") or 1
    if data is None or weights is None or output is None or not (data.shape and weights.shape and output.shape):
        return None
    inputs, outputs = data.shape[-1], output.shape[-1]
    fits = outputs == inputs * multiplier == weights.shape[-1] and (multiplier == 1 or inputs == 1)
    return (
        None if fits else f"{counted(inputs, 'channel')}, multiplier {multiplier}, {counted(outputs, 'output channel')}"
    )


def channels_divide(context: Context, limit: bool) -> str | None:
    """the channels of its input are a multiple of those of its weights

    convert the model anew: the file is damaged
    """
    data, weights = context.data, context.weights
    if data is None or weights is None or not data.shape or not weights.shape:
        return None
    groups = data.shape[-1] // max(weights.shape[-1], 1)
    return f"{data.shape[-1]} and {weights.shape[-1]} channels" if groups < 1 else None


def kept_ranks(context: Context, limit: bool) -> str | None:
    """its output has as many dimensions as its input where `keep_num_dims` is set

    flatten the input before the layer
    """
    data, output = context.data, next(iter(context.outputs), None)
    if not context.option("keep_num_dims") or data is None or output is None:
        return None
    return None if len(data.shape) == len(output.shape) else f"{data} -> {output}"


def plain_broadcast(context: Context, limit: bool) -> str | None:
    """inputs with different numbers of dimensions are a 4-dimensional one and [h, w, c], [1, 1] or [n, c]

    reshape the smaller input to 4 dimensions, such as [1, 1, 1, c]
    """
    left, right = context.input(0), context.input(1)
    if left is None or right is None or min(len(left.shape), len(right.shape)) < 2:
        return None
    if len(left.shape) == len(right.shape):
        return None
    longer, shorter = sorted((left, right), key=lambda tensor: -len(tensor.shape))
    return None if _broadcasts(longer, shorter) else f"{left} and {right}"


def pad_rows(context: Context, limit: Sequence[int]) -> str | None:
    """it pads {limit} dimensions

    pad an image of 3 or 4 dimensions
    """
    pads = context.input(1)
    if pads is None:
        return "no paddings"
    fits = len(pads.shape) == 2 and pads.shape[0] in limit and pads.shape[1] == 2
    return None if fits else f"paddings of shape {list(pads.shape)}"


def min_block(context: Context, limit: int) -> str | None:
    """its block is at least {limit} wide

    leave the layer out: with a block of 1 it does nothing
    """
    found = context.option("block_size") or 0
    return str(found) if found < limit else None


def block_divides(context: Context, limit: bool) -> str | None:
    """height and width are multiples of the block

    pad the input to a multiple of the block
    """
    data, block = context.data, context.option("block_size") or 1
    if data is None or len(data.shape) != 4 or not any(size % block for size in data.shape[1:3]):
        return None
    return f"block {block}, {data}"


def pool_strides(context: Context, limit: bool) -> str | None:
    """its strides are at most its window, which is larger than 1x1 where it has strides

    take every n-th element by a slice or a convolution instead
    """
    window = context.option("filter_height") or 1, context.option("filter_width") or 1
    strides = context.option("stride_h") or 1, context.option("stride_w") or 1
    past = any(stride > size for stride, size in zip(strides, window, strict=True))
    return f"window {window[0]} x {window[1]}, strides {strides[0]} x {strides[1]}" if past else None


def select_branches(context: Context, limit: bool) -> str | None:
    """both branches have the output's shape or are a single number

    broadcast the branches to the output's shape in the model
    """
    output = next(iter(context.outputs), None)
    for position in (1, 2):
        branch = context.input(position)
        if branch is None or output is None or branch.shape in ((), output.shape):
            continue
        if len(branch.shape) > 1 or branch.shape[0] > 1:
            return f"input {position} is {branch}, output {output}"
    return None


def single_before_last(context: Context, limit: bool) -> str | None:
    """all dimensions of its input but the first of four and the last are 1

    reshape the indices to [n, 1, 1, c]
    """
    data = context.input(0)
    if data is None:
        return None
    tested = data.shape[1 if len(data.shape) > 3 else 0 : -1]
    return str(data) if any(size != 1 for size in tested) else None


def within_extent(context: Context, limit: bool) -> str | None:
    """the slice ends inside of its input

    correct begin and end of the slice
    """
    data, begin, end = context.input(0), context.values(1), context.values(2)
    if data is None or begin is None or end is None or not begin.size == end.size == len(data.shape):
        return f"begin, end and {data} do not fit each other"
    masks = context.option("begin_mask") or 0, context.option("end_mask") or 0
    for axis, size in enumerate(data.shape):
        first = 0 if masks[0] >> axis & 1 else int(begin.reshape(-1)[axis])
        last = 0 if masks[1] >> axis & 1 else int(end.reshape(-1)[axis])
        first = first + size if first < 0 else first
        if (last + size if last <= 0 else last) > size or first > size:
            return f"{first}:{last} along axis {axis} of {data}"
    return None


def _broadcasts(longer: Tensor, shorter: Tensor) -> bool:
    if len(longer.shape) != 4:
        return False
    if len(shorter.shape) == 3:
        return longer.shape[0] == 1
    single = longer.shape[0] == 1 and shorter.shape == (1, 1)
    return single or shorter.shape == (longer.shape[0], longer.shape[3])
