"""The reference's fixed-point arithmetic in whole numbers: twin of ``rounding.h``.

Multipliers are ``m · 2^(shift - 31)`` with 2^30 <= m < 2^31. Names and formulas are those of TensorFlow Lite's
``quantization_util.cc``, ``common.cc`` and gemmlowp's ``fixedpoint.h``; functions take NumPy int64 arrays or int.
TensorFlow Lite Micro rounds twice (its builds do not set ``TFLITE_SINGLE_ROUNDING``); TFLite's reference kernels
of TensorFlow 2.20 and later round once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

TWICE, ONCE = "twice", "once"
_LARGEST_SHIFT = 30


def quantize_multiplier(real: float) -> tuple[int, int]:
    """``(m, shift)`` of a multiplier >= 0; ``(0, 0)`` for one under 2^-32, the largest for one of 2^30 or more.

    The reference stops at a shift of 30 as well, since further ones leave int32 whatever the sum is.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    fixed = math.floor(fraction * 2**31 + 0.5)
    if fixed == 2**31:
        fixed, shift = fixed // 2, shift + 1
    if shift > _LARGEST_SHIFT:
        return 2**31 - 1, _LARGEST_SHIFT
    return (0, 0) if shift < -31 else (fixed, shift)


def high_product(x: Any, multiplier: int) -> Any:
    """``(x · m) / 2^31``, halves upwards: gemmlowp's SaturatingRoundingDoublingHighMul of unequal factors."""
    return (np.int64(1) * x * multiplier + (1 << 30)) >> 31


def divide_by_power(x: Any, exponent: int) -> Any:
    """``x / 2^exponent``, halves away from zero: gemmlowp's RoundingDivideByPOT."""
    if exponent == 0:
        return x
    return (x + (x >> 63) + (1 << (exponent - 1))) >> exponent


def scale(x: Any, multiplier: int, shift: int, rounding: str = TWICE) -> Any:
    """``x · m · 2^(shift - 31)`` as MultiplyByQuantizedMultiplier does it, for int32 ``x`` (held in int64)."""
    x = np.asarray(x, dtype=np.int64)
    if rounding == ONCE:
        return (x * multiplier + (1 << (30 - shift))) >> (31 - shift)
    left, right = max(shift, 0), max(-shift, 0)
    return divide_by_power(high_product(x << left, multiplier), right)
