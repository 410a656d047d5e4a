"""Drop operators that give what they were given: ``f(x) = x``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.ir.network import Network, Operator
from edgecompile.optimize._draft import Draft, rewrite, same_type

ORDER = 10
SUMMARY = "operators that copy their input"

_PADS = ("PAD", "PADV2", "MIRROR_PAD")
_LONE = ("CONCATENATION", "SPLIT", "SPLIT_V")
_BY_TYPE = ("RESHAPE", "SQUEEZE", "CAST", "SLICE", "BROADCAST_TO", "TILE")


def run(network: Network) -> tuple[Network, list[str]]:
    """``y = f(x)`` with ``f`` the identity: readers of ``y`` read ``x``, or the writer of ``x`` writes ``y``.

    ``f`` is one of: RESHAPE, SQUEEZE, SLICE, BROADCAST_TO or TILE to the same shape, CAST and QUANTIZE to the same type
    (a requantization by the factor 1 is exact), TRANSPOSE in the present order, PAD by nothing, STRIDED_SLICE of
    everything with stride 1, CONCATENATION of one tensor, SPLIT into one, and QUANTIZE(DEQUANTIZE(x))
    with equal parameters: ``round(((q - z) * s) / s) + z = q`` holds in float32 for 8 and 16 bits,
    as the error of the quotient is below 2⁻⁷.

    Shape, dtype and quantization of ``x`` and ``y`` must be equal; refused for variables (their
    value changes between ``x`` and the readers of ``y``), for sizes known at run time only, and where ``x`` is
    known outside (graph input, output, signature) or constant and ``y`` is too.
    """
    return rewrite(network, _step)


def _step(draft: Draft) -> list[str]:
    words = []
    for index, operator in draft.alive():
        source = _source(draft, operator)
        if source is None or not same_type(draft.tensors[source], draft.tensors[operator.outputs[0]]):
            continue
        if _bypass(draft, index, source, operator.outputs[0]):
            words.append(operator.label)
    return words


def _source(draft: Draft, operator: Operator) -> int | None:
    """The tensor that the operator's only output equals, if it is an identity once the types are equal."""
    if len(operator.outputs) != 1 or not operator.inputs:
        return None
    if operator.name == "QUANTIZE":
        return _through_dequantize(draft, operator)
    data = operator.inputs[1] if operator.name == "SPLIT" and len(operator.inputs) > 1 else operator.inputs[0]
    return data if data >= 0 and _is_identity(draft, operator) else None


def _is_identity(draft: Draft, operator: Operator) -> bool:
    """Whether equal types of input and output make the operator an identity."""
    name, options = operator.name, operator.options
    if name in _BY_TYPE:
        return True
    if name == "TRANSPOSE":
        order = draft.constant(operator, 1)
        return order is not None and list(order.reshape(-1)) == list(range(order.size))
    if name in _PADS:
        amounts = draft.constant(operator, 1)
        return amounts is not None and not np.any(amounts)
    if name == "STRIDED_SLICE":
        return _takes_everything(draft, operator)
    if name in _LONE:
        count = len(operator.inputs) if name == "CONCATENATION" else 1
        return count == 1 and options.get("fused_activation_function", "NONE") == "NONE"
    return False


def _takes_everything(draft: Draft, operator: Operator) -> bool:
    """Stride 1 on every axis: then an equal shape means an equal range."""
    strides = draft.constant(operator, 3)
    masks = [operator.options.get(f"{kind}_mask", 0) for kind in ("ellipsis", "new_axis", "shrink_axis")]
    return strides is not None and bool(np.all(strides == 1)) and not any(masks)


def _through_dequantize(draft: Draft, operator: Operator) -> int | None:
    """The source of QUANTIZE(x) with x of integers, or of QUANTIZE(DEQUANTIZE(x)), per tensor and with a sane scale."""
    before = draft.input(operator, 0)
    if before is None:
        return None
    source = operator.inputs[0]
    if before.dtype == "float32":
        writer = draft.writer(source)
        if writer is None or writer[1].name != "DEQUANTIZE" or before.is_dynamic:
            return None
        source = writer[1].inputs[0]
    tensor = draft.tensors[source]
    parameters = tensor.quantization
    if tensor.dtype not in ("int8", "uint8", "int16") or parameters is None or len(parameters.scales) != 1:
        return None
    return source if 1e-30 < parameters.scales[0] < 1e30 else None


def _bypass(draft: Draft, index: int, source: int, result: int) -> bool:
    """Take operator ``index`` out of the way between two equal tensors; False where both are known outside."""
    if result not in draft.kept:
        draft.put(index, None)
        draft.redirect(result, source)
        return True
    writer = draft.writer(source)
    if writer is None or source in draft.kept or draft.tensors[source].is_constant:
        return False
    draft.put(index, None)
    outputs = tuple(result if tensor == source else tensor for tensor in writer[1].outputs)
    draft.put(writer[0], replace(writer[1], outputs=outputs))
    draft.redirect(source, result)
    return True
