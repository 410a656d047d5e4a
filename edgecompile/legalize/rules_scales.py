"""Rules of delegates on how the quantizations of inputs, weights and outputs relate."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.ir.network import Tensor
from edgecompile.legalize.context import Context

EIGHT_BITS = ("int8", "uint8")


def per_tensor_activations(context: Context, limit: bool) -> str | None:
    """everything of 8 bits that it computes with has one scale for the whole tensor

    convert with full integer quantization (`--numerics int8`)
    """
    for tensor in context.activations:
        if tensor.dtype in EIGHT_BITS and _scale(tensor) is None:
            return f"{tensor} with {len(tensor.quantization.scales) if tensor.quantization else 0} scales"
    return None


def weights_axis(context: Context, limit: int) -> str | None:
    """weights with several scales have one for each slice of axis {limit}

    convert the model anew with TensorFlow's converter
    """
    weights = context.weights
    if weights is None or weights.quantization is None or not weights.quantization.per_channel:
        return None
    return f"axis {weights.quantization.axis}" if weights.quantization.axis != limit else None


def symmetric_weights(context: Context, limit: bool) -> str | None:
    """the zero points of int8 weights with several scales are 0

    convert the model anew with TensorFlow's converter
    """
    weights = context.weights
    if weights is None or weights.quantization is None or weights.dtype != "int8":
        return None
    points = weights.quantization.zero_points if weights.quantization.per_channel else ()
    return next((f"zero point {point}" for point in points if point), None)


def normal_scales(context: Context, limit: bool) -> str | None:
    """all scales are above the smallest normal float32 number, 1.2e-38

    calibrate with data that exercises every layer: such a scale comes from values that are all zero
    """
    for tensor in (*context.inputs, *context.outputs):
        least = min(tensor.quantization.scales, default=1.0) if tensor is not None and tensor.quantization else 1.0
        if least < _SMALLEST_NORMAL:
            return f"{least:g}"
    return None


def input_output_scales(context: Context, limit: Sequence[float]) -> str | None:
    """each input's scale divided by the output's is from the first to the second of {limit}

    retrain or recalibrate so that the ranges of input and output are nearer to each other
    """
    output = _scale(next(iter(context.outputs), None))
    for tensor in context.inputs:
        scale = _scale(tensor)
        if scale is None or output is None:
            continue
        if not limit[0] <= scale / output <= limit[1]:
            return f"{scale:g} / {output:g} = {scale / output:g}"
    return None


def product_scales(context: Context, limit: Sequence[float]) -> str | None:
    """the product of the inputs' scales divided by the output's is from the first to the second of {limit}

    retrain or recalibrate so that the output's range fits the inputs'
    """
    scales = [_scale(tensor) for tensor in (context.input(0), context.input(1), next(iter(context.outputs), None))]
    if any(scale is None for scale in scales):
        return None
    left, right, output = (scale or 0.0 for scale in scales)
    found = left * right / output
    return None if limit[0] <= found <= limit[1] else f"{left:g} * {right:g} / {output:g} = {found:g}"


def leaky_scales(context: Context, limit: Sequence[float]) -> str | None:
    """its slope times input scale divided by output scale is in size from the first to the second of {limit}

    use a slope that is not so near to 0, or a ReLU
    """
    alpha = context.option("alpha") or 0.0
    read, written = _scale(context.input(0)), _scale(next(iter(context.outputs), None))
    if read is None or written is None:
        return None
    found = alpha * read / written
    return None if limit[0] <= abs(found) <= limit[1] else f"{alpha:g} * {read:g} / {written:g} = {found:g}"


def nonzero_alpha(context: Context, limit: bool) -> str | None:
    """its slope is not 0

    use a ReLU
    """
    return None if context.option("alpha") else "a slope of 0"


def same_io_scale(context: Context, limit: Sequence[str]) -> str | None:
    """inputs and output of type {limit} share one scale and zero point

    quantize with training-aware scales shared by inputs and output
    """
    output = next(iter(context.outputs), None)
    if output is None or output.dtype not in limit or output.quantization is None:
        return None
    wanted = (output.quantization.scales, output.quantization.zero_points)
    for tensor in context.inputs:
        if tensor is None or tensor.dtype != output.dtype or tensor.quantization is None:
            continue
        if (tensor.quantization.scales, tensor.quantization.zero_points) != wanted:
            return f"scales {tensor.quantization.scales[0]:g} and {output.quantization.scales[0]:g}"
    return None


_SMALLEST_NORMAL = 2.0**-126


def _scale(tensor: Tensor | None) -> float | None:
    """The one scale of a tensor of 8 bits."""
    if tensor is None or tensor.dtype not in EIGHT_BITS or tensor.quantization is None:
        return None
    scales = tensor.quantization.scales
    return scales[0] if len(scales) == 1 else None
