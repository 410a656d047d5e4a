"""What int8 operators do with channels (the last axis): mix them, keep them apart, or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from edgecompile.ir.network import Operator, Tensor
from edgecompile.kernels.quantities import activation_range, is_fused, is_quantized
from edgecompile.kernels.routine import Site
from edgecompile.optimize._draft import Array, Draft

_RELUS = ("RELU", "RELU6", "RELU_N1_TO_1")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")


@dataclass(frozen=True, kw_only=True)
class Sum:
    """CONV_2D, FULLY_CONNECTED or DEPTHWISE_CONV_2D: ``bias + Σ weights · (x - zero point)``, then scaled.

    ``weights``: int64[o, h, w, i], i = 1 for the depthwise one; ``bias``: int64[o], None where it is left out;
    ``taps``: bool[p, h] and bool[q, w], the different ways in which the padding cuts the window's rows and columns.
    """

    weights: Array
    bias: Array | None
    taps: tuple[Array, Array]

    def seen(self, channel: int) -> Array:
        """Σ of the weights of an input channel that lie on the plane: int64[p, q, o]."""
        slices = self.weights[..., channel]
        return np.asarray(np.einsum("ph,ohw,qw->pqo", self.taps[0], slices, self.taps[1], optimize=True))


def mixer(draft: Draft, operator: Operator) -> Sum | None:
    """CONV_2D without groups or FULLY_CONNECTED over the last axis, all int8 with constant weights."""
    if operator.name not in ("CONV_2D", "FULLY_CONNECTED") or not _has_plain_ends(draft, operator):
        return None
    weights = _weights(draft, operator, axis=0)
    source, result = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]]
    if weights is None or source.shape[-1] != weights.shape[-1] or result.shape[-1] != weights.shape[0]:
        return None
    if operator.name == "CONV_2D":
        return _sum(draft, operator, weights) if weights.ndim == len(source.shape) == 4 else None
    plain = operator.options.get("weights_format", "DEFAULT") == "DEFAULT" and weights.ndim == 2
    return _sum(draft, operator, weights[:, None, None, :]) if plain else None


def depthwise(draft: Draft, operator: Operator) -> Sum | None:
    """DEPTHWISE_CONV_2D that makes one channel of each, all int8 with constant weights."""
    if operator.name != "DEPTHWISE_CONV_2D" or not _has_plain_ends(draft, operator):
        return None
    weights = _weights(draft, operator, axis=3)
    source, result = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]]
    if weights is None or weights.ndim != 4 or not weights.shape[-1] == source.shape[-1] == result.shape[-1]:
        return None
    return _sum(draft, operator, weights.transpose(3, 1, 2, 0)) if len(source.shape) == 4 else None


def is_separate(draft: Draft, operator: Operator) -> bool:
    """Channel ``c`` of the output depends on channel ``c`` of the first input alone, and nothing counts channels."""
    if not _has_plain_ends(draft, operator):
        return False
    source, result = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]]
    if source.shape[-1] != result.shape[-1]:
        return False
    if operator.name in _POOLS:
        return len(source.shape) == 4
    if operator.name in ("MEAN", "RESHAPE"):
        return _keeps_last_axis(draft, operator, source)
    return operator.name in _RELUS or depthwise(draft, operator) is not None


def clamps(draft: Draft, operator: Operator) -> tuple[int, int]:
    """Lowest and highest value that the operator's own or fused activation lets pass."""
    if operator.name in _RELUS:
        operator = replace(operator, options={"fused_activation_function": operator.name})
    return activation_range(_site(draft, operator))


def zero_points_agree(draft: Draft, operator: Operator) -> bool:
    """Input and output have one scale and zero point, so that what is only moved or compared stays what it is."""
    return draft.tensors[operator.inputs[0]].quantization == draft.tensors[operator.outputs[0]].quantization


def _has_plain_ends(draft: Draft, operator: Operator) -> bool:
    """An int8 value comes in, another goes out, sizes beside the first are known, the activation is a clamp."""
    if not operator.inputs or operator.inputs[0] < 0 or len(operator.outputs) != 1:
        return False
    ends = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]]
    return all(_is_plain(tensor) for tensor in ends) and is_fused(_site(draft, operator))


def _is_plain(tensor: Tensor) -> bool:
    known = len(tensor.shape) > 0 and all(size > 0 for size in (*tensor.shape[1:], *tensor.shape_signature[1:]))
    return known and is_quantized(tensor, "int8") and not (tensor.is_constant or tensor.is_variable)


def _site(draft: Draft, operator: Operator) -> Site:
    return Site(subgraph=replace(draft.subgraph, tensors=tuple(draft.tensors)), operator=operator)


def _weights(draft: Draft, operator: Operator, axis: int) -> Array | None:
    tensor, array = draft.input(operator, 1), draft.constant(operator, 1)
    if tensor is None or array is None or tensor.dtype != "int8" or tensor.quantization is None:
        return None
    form = tensor.quantization
    counted = len(form.scales) == 1 or (form.axis == axis < array.ndim and len(form.scales) == array.shape[axis])
    return array.astype(np.int64) if counted and not any(form.zero_points) and min(form.scales) > 0 else None


def _sum(draft: Draft, operator: Operator, weights: Array) -> Sum | None:
    tensor, bias = draft.input(operator, 2), draft.constant(operator, 2)
    if tensor is not None and (bias is None or tensor.dtype != "int32" or bias.shape != weights.shape[:1]):
        return None
    taps = _taps(draft, operator, weights)
    wide = bias.astype(np.int64) if bias is not None else None
    return Sum(weights=weights, bias=wide, taps=taps) if taps is not None else None


def _taps(draft: Draft, operator: Operator, weights: Array) -> tuple[Array, Array] | None:
    if operator.name == "FULLY_CONNECTED":
        return np.ones((1, 1), np.int64), np.ones((1, 1), np.int64)
    source, result, options = draft.tensors[operator.inputs[0]], draft.tensors[operator.outputs[0]], operator.options
    found = []
    for axis, letter in ((1, "h"), (2, "w")):
        stride, dilation = options.get(f"stride_{letter}", 0), options.get(f"dilation_{letter}_factor", 1)
        if stride < 1 or dilation < 1 or options.get("padding") not in ("SAME", "VALID"):
            return None
        size, after, window = source.shape[axis], result.shape[axis], weights.shape[axis]
        total = max((after - 1) * stride + (window - 1) * dilation + 1 - size, 0)
        before = total // 2 if options["padding"] == "SAME" else 0
        places = np.arange(after)[:, None] * stride - before + np.arange(window) * dilation
        found.append(np.unique(((places >= 0) & (places < size)).astype(np.int64), axis=0))
    return found[0], found[1]


def _keeps_last_axis(draft: Draft, operator: Operator, source: Tensor) -> bool:
    """MEAN over other axes; RESHAPE to a fixed shape (row by row, an equal last axis stays the channels)."""
    if operator.name == "RESHAPE" and (len(operator.inputs) < 2 or operator.inputs[1] < 0):
        return True
    numbers = draft.constant(operator, 1)
    if numbers is None or operator.name == "RESHAPE":
        return numbers is not None and numbers.size > 0
    return all(int(axis) % len(source.shape) != len(source.shape) - 1 for axis in numbers.reshape(-1))
