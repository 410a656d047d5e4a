"""Rules on element types and quantization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgecompile.ir.network import Tensor
from edgecompile.legalize.context import Context

QUANTIZED = ("int8", "uint8", "int4", "int2", "uint4")


def dtypes(context: Context, limit: Sequence[str]) -> str | None:
    """its input is of type {limit}

    convert the model to a numeric scheme that the target lists (`--numerics`); `edgecompile targets show` names them
    """
    return _outside(context.data, limit)


def activation_dtypes(context: Context, limit: Sequence[str]) -> str | None:
    """every value that it reads or writes at run time is of type {limit}

    quantize the whole model (`--numerics int8`), and keep casts and integer arithmetic out of it
    """
    for tensor in context.activations:
        if tensor.dtype not in limit:
            return tensor.dtype
    return None


def input_dtypes(context: Context, limit: Mapping[str, Sequence[str]]) -> str | None:
    """the types of its inputs are {limit}

    give the operator inputs of these types: in TensorFlow, `tf.cast` indices and sizes to int32
    """
    for position, allowed in limit.items():
        found = _outside(context.input(int(position)), allowed)
        if found:
            return f"input {position} is {found}"
    return None


def output_dtypes(context: Context, limit: Sequence[str]) -> str | None:
    """its output is of type {limit}

    ask the layer for this type, for example `tf.argmax(x, output_type=tf.int32)`
    """
    return next((tensor.dtype for tensor in context.outputs if tensor.dtype not in limit), None)


def same_dtypes(context: Context, limit: Sequence[int]) -> str | None:
    """its inputs {limit} are of the same type

    cast one operand to the other's type
    """
    found = [tensor.dtype for position in limit if (tensor := context.input(position)) is not None]
    return " and ".join(found) if len(set(found)) > 1 else None


def no_hybrid(context: Context, limit: bool) -> str | None:
    """its input is quantized where its weights are

    convert with `--numerics int8` (full integer) or `--numerics float32` instead of dynamic range
    """
    data, weights = context.data, context.weights
    mixed = data is not None and weights is not None and data.dtype.startswith("float") and weights.dtype in QUANTIZED
    return f"{data.dtype} input with {weights.dtype} weights" if mixed and data and weights else None


def per_tensor_weights(context: Context, limit: bool) -> str | None:
    """its weights have one scale for the whole tensor

    convert with one scale per tensor (the profile's `per_tensor_dense = true`; in TensorFlow
    `converter._experimental_disable_per_channel_quantization_for_dense_layers = True`)
    """
    weights = context.weights
    if weights is None or weights.quantization is None or not weights.quantization.per_channel:
        return None
    return f"{len(weights.quantization.scales)} scales, one per channel"


def positive_scales(context: Context, limit: bool) -> str | None:
    """all scales are above 0

    calibrate with data that exercises every layer: a scale of 0 comes from values that are all zero
    """
    for tensor in (*context.inputs, *context.outputs):
        low = min(tensor.quantization.scales, default=1.0) if tensor is not None and tensor.quantization else 1.0
        if low <= 0:
            return f"{low:g}"
    return None


def restricted_scales(context: Context, limit: bool) -> str | None:
    """input scale times weight scale is below the output scale

    retrain or recalibrate so that the layer's output range is wider, or raise the target's level
    """
    scales = [_scale(tensor) for tensor in (context.data, context.weights, next(iter(context.outputs), None))]
    if any(scale is None for scale in scales) or context.data is None or context.data.dtype != "uint8":
        return None
    read, weights, written = (scale or 0.0 for scale in scales)
    return None if read * weights < written else f"{read:g} * {weights:g} = {read * weights:g}, output {written:g}"


def same_scale(context: Context, limit: bool) -> str | None:
    """all inputs share one scale and zero point when they are uint8

    quantize with training-aware scales shared by the inputs, or raise the target's level
    """
    found = {
        (tensor.quantization.scales, tensor.quantization.zero_points)
        for tensor in context.inputs
        if tensor is not None and tensor.quantization is not None and tensor.dtype == "uint8"
    }
    return f"{len(found)} different quantizations" if len(found) > 1 else None


def symmetric(context: Context, limit: bool) -> str | None:
    """the zero point of an int8 input is 0

    use a uint8 output, or raise the target's level
    """
    data = context.data
    if data is None or data.dtype != "int8" or data.quantization is None:
        return None
    shifted = [point for point in data.quantization.zero_points if point != 0]
    return f"zero point {shifted[0]}" if shifted else None


def basic_lstm_scales(context: Context, limit: bool) -> str | None:
    """input and output have scale 1/128 and zero point 128, the cell state scale 16/32768

    use the full LSTM kernel: convert a Keras LSTM with `--numerics int8`
    """
    outputs = context.outputs[:1]
    io = [(tensor, 1 / 128, 128) for tensor in (context.input(0), *outputs)]
    for tensor, scale, zero in (*io, (context.input(4), 16 / 32768, 0)):
        if tensor is not None and tensor.quantization is not None:
            found = (tensor.quantization.scales[:1], tensor.quantization.zero_points[:1])
            # A float32 scale of the file against an exact fraction: both are powers of two.
            if found != ((scale,), (zero,)):
                return f"scale {found[0][0] if found[0] else 0:g}, zero point {found[1][0] if found[1] else 0}"
    return None


def _outside(tensor: Tensor | None, allowed: Sequence[str]) -> str | None:
    return None if tensor is None or tensor.dtype in allowed else tensor.dtype


def _scale(tensor: Tensor | None) -> float | None:
    return next(iter(tensor.quantization.scales), None) if tensor is not None and tensor.quantization else None
