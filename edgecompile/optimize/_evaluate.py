"""Operators that NumPy computes with exactly TFLite's result: they move values, or calculate with integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgecompile.ir.network import Operator, Tensor
from edgecompile.optimize._draft import Array

_WHOLE_IN_FLOAT64 = 1 << 53
_Rule = Callable[[Operator, Sequence[Array], Tensor], "Array | None"]


def evaluate(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    """The operator's value in the dtype of ``result``, or None where NumPy and TFLite might differ.

    Integer arithmetic is done in 64 bits and given up when it leaves the dtype; indices out of range and
    shapes that do not fit are given up too, and left to the interpreter to complain about.
    """
    try:
        return EXACT[operator.name](operator, inputs, result)
    except (ValueError, IndexError, TypeError, OverflowError, MemoryError):
        return None


def _reshape(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array:
    return inputs[0].reshape(result.shape)


def _transpose(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array:
    return inputs[0].transpose([int(axis) for axis in inputs[1].reshape(-1)])


def _pack(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array:
    return np.stack(inputs, axis=operator.options.get("axis", 0))


def _concatenation(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    if operator.options.get("fused_activation_function", "NONE") != "NONE":
        return None
    return np.concatenate(inputs, axis=operator.options.get("axis", 0))


def _cast(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    """Between integers in range, and from them to float where it is exact; from floats C leaves too much open."""
    value = inputs[0]
    if value.dtype.kind not in "iub" or result.dtype == "bool":
        return None
    if value.size and max(abs(int(value.max())), abs(int(value.min()))) > _WHOLE_IN_FLOAT64:
        return None
    cast = value.astype(result.dtype)
    return cast if np.array_equal(cast.astype(np.float64), value.astype(np.float64)) else None


def _slice(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array:
    value, begin, size = inputs[0], inputs[1].reshape(-1), inputs[2].reshape(-1)
    ends = [length if n < 0 else b + n for b, n, length in zip(begin, size, value.shape, strict=True)]
    return value[tuple(slice(int(b), int(e)) for b, e in zip(begin, ends, strict=True))]


def _strided_slice(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    """One range per axis; ellipsis, new axes and ``offset`` are left to the interpreter."""
    options = operator.options
    if options.get("ellipsis_mask", 0) or options.get("new_axis_mask", 0) or options.get("offset", False):
        return None
    parts: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(*(part.reshape(-1) for part in inputs[1:4]), strict=True)):
        if options.get("shrink_axis_mask", 0) >> axis & 1:
            parts.append(int(begin))
            continue
        first = None if options.get("begin_mask", 0) >> axis & 1 else int(begin)
        last = None if options.get("end_mask", 0) >> axis & 1 else int(end)
        size = inputs[0].shape[axis]
        if any(bound is not None and not -size <= bound <= size for bound in (first, last)):
            return None  # kernels have clamped such bounds in more than one way
        parts.append(slice(first, last, int(stride)))
    return np.asarray(inputs[0][tuple(parts)])


def _gather(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    value, indices = inputs
    if operator.options.get("batch_dims", 0) or indices.size == 0 or int(indices.min()) < 0:
        return None
    return np.asarray(np.take(value, indices, axis=operator.options.get("axis", 0)))


def _range(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
    start, limit, delta = (int(value.reshape(-1)[0]) for value in inputs)
    whole = all(value.dtype.kind in "iu" for value in inputs)
    return np.arange(start, limit, delta).astype(result.dtype) if whole else None


def _fill(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array:
    return np.full(tuple(int(size) for size in inputs[0].reshape(-1)), inputs[1].reshape(-1)[0])


def _integers(calculate: Callable[[Array, Array], Array]) -> _Rule:
    def rule(operator: Operator, inputs: Sequence[Array], result: Tensor) -> Array | None:
        plain = result.dtype in ("int32", "int64") and result.quantization is None
        if not plain or operator.options.get("fused_activation_function", "NONE") != "NONE":
            return None
        wide = [value.astype(np.int64) for value in inputs]
        if any(np.any(np.abs(value) >= 1 << 31) for value in wide):
            return None
        value = calculate(*wide)
        limits = np.iinfo(result.dtype)
        inside = bool(np.all((value >= limits.min) & (value <= limits.max)))
        return np.asarray(value.astype(result.dtype)) if inside else None

    return rule


EXACT: Mapping[str, _Rule] = {
    "SHAPE": _reshape,
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "TRANSPOSE": _transpose,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "CAST": _cast,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "GATHER": _gather,
    "RANGE": _range,
    "FILL": _fill,
    "ADD": _integers(np.add),
    "SUB": _integers(np.subtract),
    "MUL": _integers(np.multiply),
    "MAXIMUM": _integers(np.maximum),
    "MINIMUM": _integers(np.minimum),
}
