"""Integers in float: fake quantization of activations, constants as the real numbers they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.ir.network import BITS, Quantization, Tensor

Array = np.ndarray[Any, Any]
_ACTIVATIONS = {"int8": 8, "uint8": 8, "int16": 16}


def is_quantized(tensor: Tensor) -> bool:
    """Whether the tensor holds integers that stand for real numbers."""
    given = tensor.quantization
    return given is not None and len(given.scales) > 0 and tensor.dtype.startswith(("int", "uint"))


def limits(dtype: str) -> tuple[int, int]:
    """Smallest and largest integer of a type (``int4`` too)."""
    bits = BITS[dtype]
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def bounds(tensor: Tensor) -> tuple[float, float]:
    """Smallest and largest real number that a quantized tensor holds."""
    given = tensor.quantization
    assert given is not None
    low, high = limits(tensor.dtype)
    return given.scales[0] * (low - given.zero_points[0]), given.scales[0] * (high - given.zero_points[0])


def same_scale(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two tensors hold the same real number as the same integer."""
    if one is None or other is None or one.quantization is None or other.quantization is None:
        return False
    a, b = one.quantization, other.quantization
    return one.dtype == other.dtype and a.scales == b.scales and a.zero_points == b.zero_points


def fake_quantize(tf: Any, value: Any, tensor: Tensor) -> Any:
    """The value as the tensor can hold it: ``s * (clip(round(x / s) + z) - z)``, halves up.

    The gradient is passed on inside the range and zero outside (straight-through estimator; Jacob et al., "Quantization
    and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 3). TensorFlow's own
    kernel does it in one sweep; it takes the range and finds the scale from it, to a relative 2^-23.
    """
    if not is_quantized(tensor) or tensor.dtype not in _ACTIVATIONS or not value.dtype.is_floating:
        return value
    low, high = bounds(tensor)
    return tf.quantization.fake_quant_with_min_max_args(
        value, min=float(low), max=float(high), num_bits=_ACTIVATIONS[tensor.dtype]
    )


def real(tensor: Tensor, codes: Array) -> Array:
    """``scale * (q - zero_point)`` in float32 where the tensor is quantized, else the array (float16 widened)."""
    if not is_quantized(tensor):
        return codes.astype(np.float32) if codes.dtype == np.float16 else codes
    assert tensor.quantization is not None
    scales, zeros = spread_quantization(tensor.quantization, codes.ndim)
    return ((codes.astype(np.int64) - zeros) * scales.astype(np.float64)).astype(np.float32)


def spread_quantization(given: Quantization, rank: int) -> tuple[Array, Array]:
    """Scales (float32) and zero points (int64), shaped to broadcast over an array of that rank."""
    scales, zeros = np.asarray(given.scales, np.float32), np.asarray(given.zero_points, np.int64)
    shape = [-1 if axis == given.axis and len(scales) > 1 else 1 for axis in range(rank)]
    return scales.reshape(shape), (zeros if len(zeros) == len(scales) else np.resize(zeros, len(scales))).reshape(shape)
