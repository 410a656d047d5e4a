"""Ranges of activations from histograms: a percentile on both sides, or the least quantization error.

A histogram has one bin for each pattern of a float32's upper 16 bits (sign, exponent, 7 bits of
the fraction). Its bins are as fine near zero as at an outlier, it needs no range in advance, and
histograms of several samples add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BINS = 1 << 16
PERCENTILE = 99.9
_STEPS = 64
_SMALLEST_SHARE = 1 / 64


def _bin_values() -> Array:
    """The middle of every bin as float64, in the order of the bit patterns; NaN and infinities included."""
    patterns = (np.arange(BINS, dtype=np.uint32) << 16) | np.uint32(0x8000)
    with np.errstate(all="ignore"):
        return patterns.view(np.float32).astype(np.float64)


_VALUES = _bin_values()
_FINITE = np.flatnonzero(np.isfinite(_VALUES))
_ORDER = _FINITE[np.argsort(_VALUES[_FINITE], kind="stable")]


@dataclass(frozen=True, kw_only=True)
class Range:
    """Lowest and highest value that quantization shall represent."""

    low: float
    high: float


def histogram(values: Array) -> Array:
    """``int64[65536]``: how many of the float32 values fall into each bin."""
    patterns = np.ascontiguousarray(values, dtype=np.float32).reshape(-1).view(np.uint32)
    return np.bincount(patterns >> 16, minlength=BINS)


def is_finite(counts: Array) -> bool:
    """No NaN and no infinity was counted."""
    return int(counts[_FINITE].sum()) == int(counts.sum())


def by_percentile(counts: Array, observed: Range, percentile: float = PERCENTILE) -> Range:
    """The range that leaves out at most ``100 - percentile`` percent of the values on either side.

    Nearest rank: with fewer than ``100 / (100 - percentile)`` values nothing is left out. The
    result lies within ``observed``, whose ends are exact where the histogram's are a bin wide.
    """
    sorted_counts = counts[_ORDER]
    total = int(sorted_counts.sum())
    outside = int(total * (100 - percentile) / 100)
    seen = np.cumsum(sorted_counts)
    low = _VALUES[_ORDER[int(np.searchsorted(seen, outside, side="right"))]]
    high = _VALUES[_ORDER[int(np.searchsorted(seen, total - outside, side="left"))]]
    return _within(Range(low=low, high=high), observed) if outside else observed


def by_mse(counts: Array, observed: Range, levels: int, symmetric: bool) -> Range:
    """The range with the least mean squared error of quantization to ``levels`` steps.

    Error of a range [a, b] with step Δ = (b - a) / levels: values inside are off by a uniform
    rounding error, Δ²/12 each (zero is exact), values outside by their distance to the nearer end:

        E(a, b) = Σ_inside, x≠0 Δ²/12 + Σ_{x<a} (x - a)² + Σ_{x>b} (x - b)²

    Candidates shrink each end of ``observed`` (widened to hold zero) in equal steps of its
    logarithm, down to 1/64 of it; ``symmetric`` takes [-max, max] as int16 activations do.
    """
    low, high = min(observed.low, 0.0), max(observed.high, 0.0)
    if symmetric:
        low, high = -max(-low, high), max(-low, high)
    shares = np.geomspace(1.0, _SMALLEST_SHARE, _STEPS)
    lows = low * shares if low < 0 else np.zeros(1)
    highs = high * shares if high > 0 else np.zeros(1)
    sums = _Sums(counts)
    below = np.array([sums.below(end) for end in lows])
    above = np.array([sums.above(end) for end in highs])
    if symmetric:
        error = _errors(lows, highs, below, above, sums.nonzero, levels)
        best = int(np.argmin(error))
        return _within(Range(low=float(lows[best]), high=float(highs[best])), observed)
    error = _errors(lows[:, None], highs[None, :], below[:, None], above[None, :], sums.nonzero, levels)
    row, column = np.unravel_index(int(np.argmin(error)), error.shape)
    return _within(Range(low=float(lows[row]), high=float(highs[column])), observed)


class _Sums:
    """Counts and moments of the values in order, summed up, so that any tail is a look-up."""

    def __init__(self, counts: Array) -> None:
        self._values = _VALUES[_ORDER]
        count = counts[_ORDER].astype(np.float64)
        zero = np.abs(self._values) < np.finfo(np.float32).tiny
        self.nonzero = float(count[~zero].sum())
        moments = np.stack([count, count * self._values, count * self._values**2])
        self._sums = np.concatenate([np.zeros((3, 1)), np.cumsum(moments, axis=1)], axis=1)

    def below(self, end: float) -> tuple[float, float]:
        """Σ (x - end)² over the values below, and how many they are."""
        tail = self._sums[:, int(np.searchsorted(self._values, end, side="left"))]
        return _squared_distance(tail, end), float(tail[0])

    def above(self, end: float) -> tuple[float, float]:
        """Σ (x - end)² over the values above, and how many they are."""
        tail = self._sums[:, -1] - self._sums[:, int(np.searchsorted(self._values, end, side="right"))]
        return _squared_distance(tail, end), float(tail[0])


def _squared_distance(tail: Array, end: float) -> float:
    count, first, second = tail
    return float(max(second - 2 * end * first + end * end * count, 0.0))


def _errors(lows: Array, highs: Array, below: Array, above: Array, nonzero: float, levels: int) -> Array:
    step = (highs - lows) / levels
    inside = np.maximum(nonzero - below[..., 1] - above[..., 1], 0.0)
    errors: Array = inside * step**2 / 12 + below[..., 0] + above[..., 0]
    return errors


def _within(found: Range, observed: Range) -> Range:
    return Range(low=max(found.low, observed.low), high=min(found.high, observed.high))
