"""Weights of two output channels in one int16, so that one multiplication serves both: what ``pairs.h`` reads.

``v = a + 256 · b`` holds the weight ``a`` of an even channel and ``b`` of the odd one behind it. A dual
multiply-accumulate sums ``x · v``; another one with ``a`` alone (sign-extended) sums ``x · a``; the difference,
shifted by 8, is the sum of ``x · b``. Half of the unpacking is saved, the flash is that of bytes. Four inputs
k .. k+3 form a group, in the order k, k+2, k+1, k+3, in which SXTB16 spreads the bytes of a word.
"""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.routine import Array

_ORDER = [0, 2, 1, 3]
# The sum over the odd channel must survive the shift by 8 of 32 bits.
_ODD_LIMIT = 1 << 23
_SUM_LIMIT = 1 << 30


def can_pair(weights: Array) -> bool:
    """Whether int8[o, k] fits: -128 beside a negative neighbour does not."""
    even, odd = _halves(weights)
    return bool(np.all(256 * odd + even >= -32768))


def pair(weights: Array) -> Array:
    """int16[(o + 1) / 2, 4 · ceil(k / 4)] of int8[o, k]; what is missing is 0."""
    even, odd = _halves(weights)
    both = even + 256 * odd
    both = np.pad(both, ((0, 0), (0, -both.shape[1] % 4)))
    return both.reshape(len(both), -1, 4)[:, :, _ORDER].reshape(len(both), -1).astype(np.int16)


def in_order(inputs: int) -> Array:
    """Which inputs, a multiple of four, stand where SXTB16 puts them."""
    return np.arange(inputs).reshape(-1, 4)[:, _ORDER].reshape(-1)


def fold(weights: Array, bias: Array, input_zero_point: int) -> Array:
    """``bias - zero_point · Σ w`` by output channel, int64: with it, raw inputs give the reference's sums."""
    return np.asarray(bias - input_zero_point * weights.astype(np.int64).sum(axis=1))


def is_small(weights: Array, bias: Array, *, paired: bool = True) -> bool:
    """Whether no sum of int8 inputs can leave the range for short scaling; ``bias`` is folded.

    ``paired``: nor that of the sums from which the dual multiplications take the odd channel's.
    """
    reach = 128 * np.abs(weights.astype(np.int64)).sum(axis=1)
    fits = not paired or bool(np.all(reach < _ODD_LIMIT))
    return fits and bool(np.all(reach + np.abs(bias) < _SUM_LIMIT))


def _halves(weights: Array) -> tuple[Array, Array]:
    wide = weights.astype(np.int32)
    if len(wide) % 2:
        wide = np.concatenate([wide, np.zeros((1, wide.shape[1]), np.int32)])
    return wide[0::2], wide[1::2]
