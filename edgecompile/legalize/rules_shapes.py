"""Rules on shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edgecompile.ir.network import Tensor
from edgecompile.legalize.context import Context, is_open


def static_shapes(context: Context, limit: bool) -> str | None:
    """all shapes are known when the model is compiled; an open batch is compiled as 1

    give the model's input a fixed shape: `keras.Input(shape=(96, 96, 3), batch_size=1)`
    """
    return _first((*context.inputs, *context.outputs), is_open)


def max_rank(context: Context, limit: int) -> str | None:
    """its inputs have at most {limit} dimensions

    reshape to fewer dimensions before the layer and back after it
    """
    return _first(context.inputs, lambda tensor: len(tensor.shape) > limit)


def output_max_rank(context: Context, limit: int) -> str | None:
    """its output has at most {limit} dimensions

    reshape to fewer dimensions
    """
    return _first(context.outputs, lambda tensor: len(tensor.shape) > limit)


def output_min_rank(context: Context, limit: int) -> str | None:
    """its output has at least {limit} dimension

    keep one dimension, for example with `keepdims=True`
    """
    return _first(context.outputs, lambda tensor: len(tensor.shape) < limit)


def min_ranks(context: Context, limit: Mapping[str, int]) -> str | None:
    """its inputs have at least this many dimensions: {limit}

    add a dimension, for example with `tf.expand_dims`
    """
    for position, least in limit.items():
        tensor = context.input(int(position))
        if tensor is not None and len(tensor.shape) < least:
            return f"input {position} is {tensor}"
    return None


def ranks(context: Context, limit: Sequence[int]) -> str | None:
    """its input has {limit} dimensions

    reshape the input to that many dimensions before the layer and back after it
    """
    return _first((context.data,), lambda tensor: len(tensor.shape) not in limit)


def innermost_dims(context: Context, limit: int) -> str | None:
    """only the {limit} innermost dimensions are larger than 1, so the batch is 1

    compile for a batch of 1, and reshape so that only the last dimensions are larger than 1
    """
    return _first(context.activations, lambda tensor: _spreads(tensor, limit))


def output_innermost_dims(context: Context, limit: int) -> str | None:
    """only the {limit} innermost dimensions of its output are larger than 1

    give it one row at a time, or use a 1x1 convolution, which computes rows as positions of a map
    """
    return _first(context.outputs, lambda tensor: _spreads(tensor, limit))


def max_tile_bytes(context: Context, limit: int) -> str | None:
    """its input and output together take at most {limit} bytes in each tile of the array

    do it on a smaller map or with fewer channels, or enlarge with `Conv2DTranspose`
    """
    grid = context.target.measure.get("compute", {})
    data, output = context.data, next(iter(context.outputs), None)
    if data is None or output is None or len(data.shape) != 4 or len(output.shape) != 4:
        return None
    found = sum(_tile_bytes(tensor, grid.get("tile_rows", 1), grid.get("tile_columns", 1)) for tensor in (data, output))
    return f"{found} bytes, {data} -> {output}" if found > limit else None


def max_elements(context: Context, limit: int) -> str | None:
    """its input has at most {limit} elements

    make the layer smaller, or leave it out of the model and compute it on the host
    """
    data = context.data
    return f"{data.elements} in {data}" if data is not None and data.elements > limit else None


def no_empty(context: Context, limit: bool) -> str | None:
    """no dimension of its input is 0

    remove the empty input
    """
    return _first((context.data,), lambda tensor: 0 in tensor.shape)


def same_shapes(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} have the same shape

    broadcast the smaller input to the other's shape in the model
    """
    found = [tensor for position in limit if (tensor := context.input(position)) is not None]
    return " and ".join(map(str, found)) if len({tensor.shape for tensor in found}) > 1 else None


def equal_batch(context: Context, limit: bool) -> str | None:
    """its inputs have the same number of dimensions and the same batch dimensions

    broadcast the smaller operand to the other's batch dimensions in the model
    """
    left, right = context.input(0), context.input(1)
    if left is None or right is None:
        return None
    same = len(left.shape) == len(right.shape) and left.shape[:-2] == right.shape[:-2]
    return None if same else f"{left} and {right}"


def square_output(context: Context, limit: bool) -> str | None:
    """its output is as high as it is wide

    resize to a square, or raise the target's level
    """
    return _first(context.outputs, lambda tensor: len(tensor.shape) == 4 and tensor.shape[1] != tensor.shape[2])


def alpha_dims(context: Context, limit: int) -> str | None:
    """its slopes differ along {limit} dimension only

    share the slopes over height and width: `PReLU(shared_axes=[1, 2])`
    """
    alpha = context.input(1)
    wide = alpha is not None and _spreads(alpha, limit)
    return f"slopes of shape {list(alpha.shape)}" if wide and alpha is not None else None


def max_resize(context: Context, limit: float) -> str | None:
    """it enlarges height and width at most {limit} times

    enlarge in several steps, or with `Conv2DTranspose`
    """
    data, output = context.data, next(iter(context.outputs), None)
    if data is None or output is None or len(data.shape) != 4 or len(output.shape) != 4:
        return None
    factor = max(out / max(size, 1) for out, size in zip(output.shape[1:3], data.shape[1:3], strict=True))
    return f"{factor:g} times, {data} -> {output}" if factor > limit else None


def resize_factors(context: Context, limit: Sequence[int]) -> str | None:
    """it keeps the size, starts from one point, or enlarges height and width alike by one of the factors {limit}

    enlarge in steps of 2, or with `Conv2DTranspose`
    """
    data, output = context.data, next(iter(context.outputs), None)
    if data is None or output is None or len(data.shape) != 4 or len(output.shape) != 4:
        return None
    before, after = data.shape[1:3], output.shape[1:3]
    # Vela 5.2 takes the sizes that a half-pixel grid would leave as they are for a factor of 1, and refuses them.
    half = bool(context.operator.options.get("half_pixel_centers"))
    if before == (1, 1) or (before == after and not half):
        return None
    # With aligned corners the outermost points stay where they are: what is enlarged is the distance between them.
    less = 1 if context.operator.options.get("align_corners") else 0
    pairs = list(zip(before, after, strict=True))
    found = {(out - less) / max(size - less, 1) for size, out in pairs if half or (size, out) != (1, 1)}
    return None if len(found) == 1 and found <= set(map(float, limit)) else f"{data} -> {output}"


def _tile_bytes(tensor: Tensor, rows: int, columns: int) -> int:
    """What one tile holds of ``n, h, w, c``."""
    _, height, width, channels = tensor.shape
    item = tensor.size_bytes // max(tensor.elements, 1)
    return -(-height // rows) * -(-width // columns) * channels * item


def _spreads(tensor: Tensor, innermost: int) -> bool:
    """A dimension before the innermost ones is larger than 1."""
    return any(size > 1 for size in tensor.shape[: max(len(tensor.shape) - innermost, 0)])


def _first(tensors: Sequence[Tensor | None], refused: Callable[[Tensor], bool]) -> str | None:
    return next((str(tensor) for tensor in tensors if tensor is not None and refused(tensor)), None)
