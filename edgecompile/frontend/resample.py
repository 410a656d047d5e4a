"""Change a sample rate by a whole factor: windowed-sinc low-pass, then drop or fill samples."""

from __future__ import annotations

import numpy as np

from edgecompile.frontend.data_set import Array

# Zero crossings on each side of the sinc: 16 with a Hann window damp aliases by more than 40 dB away from the edge.
_CROSSINGS = 16


def integer_ratio(source_rate: int, rate: int, most: int) -> bool:
    """Whether one rate is a whole multiple of the other, ``most`` times at most."""
    high, low = max(source_rate, rate), min(source_rate, rate)
    return high % low == 0 and high // low <= most


def resample(x: Array, source_rate: int, rate: int) -> Array:
    """``float32[n]`` at ``source_rate`` (Hz) as ``float32[ceil(n * rate / source_rate)]`` at ``rate``.

    y[m] = sum over k of x[k] h(m * step - k), with h(t) = sinc(c t) c w(t), c the ratio of the
    lower rate to the higher, w a Hann window. The filter is symmetric, so nothing is delayed.
    """
    if source_rate == rate:
        return x.astype(np.float32)
    if source_rate > rate:
        factor = source_rate // rate
        return np.convolve(x, _low_pass(factor), mode="full")[_CROSSINGS * factor :][: len(x)][::factor].astype(
            np.float32
        )
    factor = rate // source_rate
    spread = np.zeros(len(x) * factor, dtype=np.float64)
    spread[::factor] = x
    full = np.convolve(spread, _low_pass(factor) * factor, mode="full")
    return full[_CROSSINGS * factor :][: len(spread)].astype(np.float32)


def _low_pass(factor: int) -> Array:
    """Taps that sum to 1 and cut at the lower rate's half."""
    t = np.arange(-_CROSSINGS * factor, _CROSSINGS * factor + 1) / factor
    taps = np.sinc(t) * (0.5 + 0.5 * np.cos(np.pi * t / _CROSSINGS))
    return np.asarray(taps / taps.sum())
