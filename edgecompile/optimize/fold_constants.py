"""Compute at compile time what depends on constants alone: ``f(c) = c'``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.ir.network import BITS, Buffer, Network, Operator, Tensor
from edgecompile.optimize._draft import Array, Draft, rewrite
from edgecompile.optimize._evaluate import EXACT, evaluate

ORDER = 30
SUMMARY = "results of constants computed"

_SMALL_BYTES = 1024


def run(network: Network) -> tuple[Network, list[str]]:
    """``y = f(c)`` with constants ``c``: ``y`` becomes a constant and ``f`` goes; also ``SHAPE(x)`` of a fixed shape.

    ``f`` is one that moves values or does integer arithmetic, exact in NumPy (see ``_evaluate``).
    The result may take 1 KiB, or as much as the constants that nobody else reads. DEQUANTIZE is never folded: a
    float16 or int8 model stores its weights so that the file is small. Refused for graph outputs, variables, sizes
    known at run time only, and types that NumPy does not have.
    """
    return rewrite(network, _step)


def _step(draft: Draft) -> list[str]:
    words = []
    for index, operator in draft.alive():
        value = _value(draft, operator)
        if value is None:
            continue
        result = operator.outputs[0]
        buffer = Buffer(np.ascontiguousarray(value).tobytes())
        draft.put(index, None)
        draft.tensors[result] = replace(draft.tensors[result], buffer=buffer)
        words.append(operator.label)
    return words


def _value(draft: Draft, operator: Operator) -> Array | None:
    """The result in the output's dtype and shape, or None where it cannot or should not be folded."""
    if operator.name not in EXACT or len(operator.outputs) != 1 or operator.outputs[0] in draft.kept:
        return None
    result = draft.tensors[operator.outputs[0]]
    if not _has_plain_type(result) or result.is_dynamic or result.is_variable or result.size_bytes == 0:
        return None
    if operator.name == "SHAPE":
        source = draft.input(operator, 0)
        fixed = source is not None and not source.is_dynamic
        return np.array(source.shape, dtype=result.dtype) if fixed and source is not None else None
    inputs = _inputs(draft, operator, result)
    if inputs is None or result.size_bytes > max(_SMALL_BYTES, _freed_bytes(draft, operator)):
        return None
    value = evaluate(operator, inputs, result)
    fits = value is not None and value.shape == result.shape and value.dtype == np.dtype(result.dtype)
    return value if fits else None


def _inputs(draft: Draft, operator: Operator, result: Tensor) -> list[Array] | None:
    """The constants, or None; values that are moved must have the result's quantization."""
    arrays = []
    for position, index in enumerate(operator.inputs):
        tensor, array = draft.input(operator, position), draft.constant(operator, position)
        if index < 0 or tensor is None or array is None or not _has_plain_type(tensor):
            return None
        if tensor.quantization is not None and tensor.quantization != result.quantization:
            return None
        arrays.append(array)
    if result.quantization is not None and not all(draft.tensors[i].quantization for i in operator.inputs[:1]):
        return None
    return arrays


def _has_plain_type(tensor: Tensor) -> bool:
    return tensor.dtype in BITS and BITS[tensor.dtype] >= 8 and tensor.dtype in _PLAIN


def _freed_bytes(draft: Draft, operator: Operator) -> int:
    """Bytes of the operator's constants that nobody else reads."""
    alone = {t for t in operator.inputs if len(draft.readers(t)) == 1 and t not in draft.kept}
    return sum(draft.tensors[tensor].size_bytes for tensor in alone)


_PLAIN = frozenset(
    {"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64"}
)
