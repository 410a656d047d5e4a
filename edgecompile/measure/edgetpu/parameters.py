"""Bytes of constants of one operator, as the Edge TPU lays them out.

Recovered from what the real compiler wrote for public models: the arithmetic is exact for convolutions and dense
layers; what stands in a compiled file for a RESHAPE, CONCATENATION or SPLIT whose channels are no multiple of four is
the matrix of a convolution that moves the channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from edgecompile.ir.network import Operator, Subgraph, Tensor
from edgecompile.measure.edgetpu.device import Layout
from edgecompile.measure.edgetpu.padding import Parameters, matrix, padded, rounded, up
from edgecompile.measure.edgetpu.recurrent import lstm

ELEMENTWISE = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"})


def parameters_of(subgraph: Subgraph, operator: Operator, layout: Layout) -> Parameters:
    """The operator's constants; nothing for operators without any."""
    if operator.name in ELEMENTWISE:
        return _elementwise(subgraph, operator, layout)
    if operator.name == "RESHAPE" and _is_given(subgraph, operator.inputs[0]):
        return Parameters()  # the host hands it over in the shape that is asked for
    count = _COUNTS.get(operator.name)
    inputs, outputs = subgraph.inputs_of(operator), subgraph.outputs_of(operator)
    if count is None or not outputs or any(tensor is None for tensor in inputs[:2]):
        return Parameters()
    return count(tuple(tensor for tensor in inputs if tensor is not None), outputs, layout)


def _is_given(subgraph: Subgraph, tensor: int) -> bool:
    """An input of the model, or one that only changes its type."""
    made_by = next((operator for operator in subgraph.operators if tensor in operator.outputs), None)
    return tensor in subgraph.inputs or (
        made_by is not None and made_by.name == "QUANTIZE" and made_by.inputs[0] in subgraph.inputs
    )


def _per_output(weights: Tensor, by_tensor: int, by_channel: int) -> int:
    return by_channel if weights.quantization is not None and weights.quantization.per_channel else by_tensor


def _convolution(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """weights[o, h, w, i]"""
    out, height, width, depth = inputs[1].shape
    each = _per_output(inputs[1], layout.output_bytes, layout.output_bytes_per_channel)
    return rounded(matrix(height * width, depth, out, layout), each * padded(out, layout), layout)


def _transposed(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """Inputs are output shape, weights[o, h, w, i], x: taken for a convolution of the same weights."""
    return _convolution((inputs[0], inputs[1]), outputs, layout)


def _depthwise(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """weights[1, h, w, o]; with several outputs from one input channel it is laid out as a convolution."""
    _, height, width, out = inputs[1].shape
    if inputs[0].shape[-1] != out:
        return rounded(matrix(height * width, 1, out, layout), layout.output_bytes * padded(out, layout), layout)
    channels = up(out, layout.depthwise_channels)
    each = _per_output(inputs[1], layout.depthwise_output_bytes, layout.depthwise_output_bytes_per_channel)
    return rounded(height * width * layout.input_channels * channels, each * channels, layout)


def _dense(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """weights[o, i]"""
    out, depth = inputs[1].shape
    columns = max(layout.dense_least_outputs, padded(out, layout))
    each = _per_output(inputs[1], layout.output_bytes, layout.output_bytes_per_channel)
    return rounded(up(depth, layout.input_channels) * columns, each * columns, layout)


def _softmax(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """Nothing for a multiple of four; else a small table, or matrices that mask what lies behind the last element."""
    size = inputs[0].shape[-1]
    if size % layout.input_channels == 0:
        return Parameters()
    if size <= layout.softmax_few:
        return Parameters(fixed_bytes=layout.softmax_bytes)
    columns = up(size, layout.input_channels)
    return Parameters(fixed_bytes=layout.softmax_bytes_per_element * columns + layout.granule_bytes)


def _reshape(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """A map flattened whose channels are padded on the device: an identity convolution, over the whole map, or over a
    few columns where these fill up whole words (known from 128 x 128 x 1 and 64 x 64 x 1). A series is a map of one
    row (known from 180 x 27)."""
    shape, flat = inputs[0].shape, outputs[0].shape
    if len(shape) not in (3, 4) or prod(flat[:-1]) != 1 or shape[-1] % layout.input_channels == 0:
        return Parameters()
    _, height, width, channels = (1, *shape) if len(shape) == 3 else shape
    if height * width <= 1:
        return Parameters()
    columns = layout.flatten_columns // channels
    whole = layout.flatten_columns % channels or width % max(columns, 1)
    positions, out = (height * width, height * width * channels) if whole else (columns, layout.flatten_columns)
    fixed = layout.output_bytes * padded(out, layout)
    return rounded(matrix(positions, channels, out, layout), fixed, layout)


def _concatenation(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """Each input that does not start at a whole word of channels is moved there by a matrix."""
    total, start, fixed = outputs[0].shape[-1:], 0, 0
    if len({tensor.shape[:-1] for tensor in inputs}) > 1 or not total or sum(t.shape[-1] for t in inputs) != total[0]:
        return Parameters()
    for tensor in inputs:
        if start % layout.input_channels:
            fixed += up(matrix(1, tensor.shape[-1], total[0], layout), layout.granule_bytes)
        start += tensor.shape[-1]
    return Parameters(fixed_bytes=fixed)


def _split(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """Inputs are the axis and x: one matrix where a part of the channels does not start at a whole word."""
    along = inputs[1].shape[-1:] != outputs[0].shape[-1:]
    if not along or outputs[0].shape[-1] % layout.input_channels == 0:
        return Parameters()
    part = matrix(1, outputs[0].shape[-1], inputs[1].shape[-1], layout)
    return Parameters(fixed_bytes=up(part, layout.granule_bytes))


def _elementwise(subgraph: Subgraph, operator: Operator, layout: Layout) -> Parameters:
    """A constant operand that is more than one number; a vector of channels is stored as 32-bit words of 4 channels."""
    constants = [t for t in subgraph.inputs_of(operator) if t is not None and t.is_constant and t.elements > 1]
    return Parameters(streamed_bytes=sum(up(_operand(tensor, layout), layout.granule_bytes) for tensor in constants))


def _operand(tensor: Tensor, layout: Layout) -> int:
    if tensor.elements == tensor.shape[-1]:
        return up(tensor.elements, layout.input_channels) // layout.input_channels * layout.granule_bytes
    return tensor.elements


_COUNTS: Mapping[str, Callable[[tuple[Tensor, ...], tuple[Tensor, ...], Layout], Parameters]] = {
    "CONV_2D": _convolution,
    "TRANSPOSE_CONV": _transposed,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "SOFTMAX": _softmax,
    "RESHAPE": _reshape,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
}
