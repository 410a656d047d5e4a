"""gemmlowp's fixed-point functions in whole numbers (``fixedpoint.h``): exp, logistic, tanh, 1 / sqrt.

Q(n).(31 - n) values as NumPy int64; every formula and constant is the reference's, because results must be equal.
"""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.rounding import divide_by_power
from edgecompile.kernels.routine import Array

_ONE = (1 << 31) - 1
_HALF = 1 << 30
# exp(-1/8) and 1/3 in Q0.31.
_EXP_EIGHTH, _THIRD = 1895147668, 715827883
# 48/17 and -32/17 in Q2.29: the first guess of a division by Newton's method on [1/2, 1].
_48_17, _NEG_32_17 = 1515870810, -1010580540
# sqrt(1/2) in Q0.31.
_ROOT_OF_HALF = 1518500250
# exp(-2^e) in Q0.31 for e = -2 .. 4.
_BARREL = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}


def product(x: Array, y: Array | int) -> Array:
    """SaturatingRoundingDoublingHighMul for two arrays: halves away from zero is what its nudge gives."""
    both = x * y
    nudge = np.where(both >= 0, 1 << 30, 1 - (1 << 30))
    # C's division truncates.
    total = both + nudge
    return np.where(total >= 0, total >> 31, -((-total) >> 31))


def multiply_by_power(x: Array, exponent: int) -> Array:
    """SaturatingRoundingMultiplyByPOT: left shifts saturate, right shifts round."""
    if exponent <= 0:
        return np.asarray(divide_by_power(x, -exponent))
    return np.clip(x << exponent, -(1 << 31), (1 << 31) - 1)


def exp_on_negative(x: Array, integer_bits: int) -> Array:
    """exp(x) in Q0.31 for x <= 0 in Q(integer_bits)."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    modulo = (x & (quarter - 1)) - quarter
    result = _exp_on_quarter(multiply_by_power(modulo, integer_bits))
    remainder = modulo - x
    for exponent, factor in _BARREL.items():
        if integer_bits > exponent:
            bit = (remainder & (1 << (fraction_bits + exponent))) != 0
            result = np.where(bit, product(result, factor), result)
    return np.where(x == 0, _ONE, result)


def logistic(x: Array, integer_bits: int) -> Array:
    """1 / (1 + exp(-x)) in Q0.31."""
    positive = _one_over_one_plus(exp_on_negative(-np.abs(x), integer_bits))
    return np.where(x == 0, _HALF, np.where(x > 0, positive, _ONE - positive))


def tanh(x: Array, integer_bits: int) -> Array:
    """(1 - e) / (1 + e) with e = exp(-2 |x|), with x's sign, in Q0.31."""
    # ExactMulByPot<1>: the same bits with one integer bit more.
    decay = exp_on_negative(-np.abs(x), integer_bits + 1)
    positive = _one_minus_over_one_plus(decay)
    return np.where(x == 0, 0, np.where(x > 0, positive, -positive))


def inverse_root(x: int) -> tuple[int, int]:
    """1 / sqrt(x) as multiplier and shift: GetInvSqrtQuantizedMultiplierExp with a reversed shift; 0 counts as 1."""
    if x <= 1:
        return _ONE, 0
    right = 11
    while x >= 1 << 29:
        x, right = x // 4, right + 1
    while x < 1 << 27:
        x, right = x * 4, right - 1
    half = np.asarray(divide_by_power(np.int64(x >> 1), 1))
    root = np.asarray(np.int64(1 << 28))
    for _ in range(5):
        cube = multiply_by_power(product(product(root, root), root), 6)
        root = multiply_by_power(product(root, (1 << 28) + (1 << 27)) - product(half, cube), 3)
    multiplier = int(product(root, _ROOT_OF_HALF))
    return (multiplier << max(-right, 0), -max(right, 0))


def _exp_on_quarter(a: Array) -> Array:
    """exp on [-1/4, 0) in Q0.31: a Taylor polynomial of degree 4 around -1/8."""
    x = a + (1 << 28)
    x2 = product(x, x)
    x3 = product(x2, x)
    x4 = product(x2, x2)
    x4_over_4 = multiply_by_power(x4, -2)
    tail = multiply_by_power(product(x4_over_4 + x3, _THIRD) + x2, -1)
    return _EXP_EIGHTH + product(np.full_like(x, _EXP_EIGHTH), x + tail)


def _half_sum(a: Array, b: Array | int) -> Array:
    """RoundingHalfSum: (a + b) / 2, halves away from zero."""
    total = a + b
    return np.where(total >= 0, (total + 1) >> 1, -((1 - total) >> 1))


def _newton(half_denominator: Array) -> Array:
    """1 / half_denominator in Q2.29 after three steps."""
    x = _48_17 + product(half_denominator, _NEG_32_17)
    for _ in range(3):
        error = (1 << 29) - product(half_denominator, x)
        x = x + multiply_by_power(product(x, error), 2)
    return x


def _one_over_one_plus(a: Array) -> Array:
    return multiply_by_power(_newton(_half_sum(a, _ONE)), 1)


def _one_minus_over_one_plus(a: Array) -> Array:
    return multiply_by_power(_newton(_half_sum(a, _ONE)) - (1 << 29), 2)
