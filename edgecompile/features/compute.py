"""The front end in NumPy: the twin of features.h, equal to it in every bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.features.plan import FEATURE_BITS, LOG_BITS, POWER_SHIFT, TWIDDLE_BITS, WEIGHT_BITS, Plan

Array = np.ndarray[Any, Any]
# Windows at once: their transforms stay in the processor's cache.
_TOGETHER = 256


def compute(plan: Plan, clips: Array) -> Array:
    """Features ``int32[n, rows, columns]`` in Q8 of clips ``int16[n, length]``.

    One is a factor of two in energy; nothing is below 0, the energy of one step of the converter, before the cosine
    transform.
    """
    starts = np.arange(plan.rows) * plan.features.step
    places = starts[:, None] + np.arange(plan.features.window)[None, :]
    made = np.empty((len(clips), plan.rows, plan.columns), np.int32)
    for index, clip in enumerate(clips):
        for start in range(0, plan.rows, _TOGETHER):
            part = slice(start, start + _TOGETHER)
            made[index, part] = _rows(plan, clip[places[part]].astype(np.int64))
    return made


def real(features: Array) -> Array:
    """Features as ``float32``, exactly."""
    return features.astype(np.float32) / np.float32(1 << FEATURE_BITS)


def _rows(plan: Plan, samples: Array) -> Array:
    down = 15 - plan.fraction_bits
    windowed = (samples * plan.window.astype(np.int64) + (1 << (down - 1))) >> down
    padded = np.zeros((len(samples), plan.size), np.int64)
    padded[:, : windowed.shape[1]] = windowed
    logs = _logarithms(plan, _energies(plan, *_spectrum(plan, padded)))
    if plan.features.kind != "mfcc":
        return logs.astype(np.int32)
    products = logs @ plan.cosines.T.astype(np.int64)
    return ((products + (1 << (TWIDDLE_BITS - 1))) >> TWIDDLE_BITS).astype(np.int32)


def _spectrum(plan: Plan, x: Array) -> tuple[Array, Array]:
    """Real and imaginary part, ``[n, size / 2 + 1]``: a transform of half the size, and then taken apart.

    Even samples are the real parts, odd ones the imaginary: Press et al., Numerical Recipes, 1992, 12.3.
    """
    half = plan.size // 2
    re, im = _transform(plan, x[:, 0::2], x[:, 1::2])
    c, s = plan.twiddles[: half // 2 + 1].astype(np.int64).T
    k = np.arange(1, half // 2 + 1)
    m, c, s = half - k, c[k], s[k]
    even_re, even_im = (re[:, k] + re[:, m]) << TWIDDLE_BITS, (im[:, k] - im[:, m]) << TWIDDLE_BITS
    odd_re, odd_im = im[:, k] + im[:, m], re[:, m] - re[:, k]
    turned_re, turned_im = odd_re * c + odd_im * s, odd_im * c - odd_re * s
    out_re, out_im = np.zeros((len(x), half + 1), np.int64), np.zeros((len(x), half + 1), np.int64)
    out_re[:, 0], out_re[:, half] = re[:, 0] + im[:, 0], re[:, 0] - im[:, 0]
    for place, real_part, imaginary in (
        (m, even_re - turned_re, turned_im - even_im),
        (k, even_re + turned_re, even_im + turned_im),
    ):
        out_re[:, place] = (real_part + (1 << TWIDDLE_BITS)) >> (TWIDDLE_BITS + 1)
        out_im[:, place] = (imaginary + (1 << TWIDDLE_BITS)) >> (TWIDDLE_BITS + 1)
    return out_re, out_im


def _transform(plan: Plan, re: Array, im: Array) -> tuple[Array, Array]:
    """Complex Fourier transform, radix 2, decimated in time; each product is rounded once, halves upwards."""
    points = re.shape[1]
    order = _reversed(points)
    re, im = re[:, order], im[:, order]
    half = 1
    while half < points:
        turn = plan.twiddles[np.arange(half) * (points // half)].astype(np.int64)
        re, im = _stage(re, im, half, turn[:, 0], turn[:, 1])
        half *= 2
    return re.reshape(len(re), points), im.reshape(len(im), points)


def _stage(re: Array, im: Array, half: int, c: Array, s: Array) -> tuple[Array, Array]:
    re, im = re.reshape(len(re), -1, 2, half), im.reshape(len(im), -1, 2, half)
    upper_re, upper_im, lower_re, lower_im = re[:, :, 0], im[:, :, 0], re[:, :, 1], im[:, :, 1]
    round_up = 1 << (TWIDDLE_BITS - 1)
    turned_re = (lower_re * c + lower_im * s + round_up) >> TWIDDLE_BITS
    turned_im = (lower_im * c - lower_re * s + round_up) >> TWIDDLE_BITS
    return (
        np.stack([upper_re + turned_re, upper_re - turned_re], axis=2),
        np.stack([upper_im + turned_im, upper_im - turned_im], axis=2),
    )


def _reversed(points: int) -> Array:
    bits = points.bit_length() - 1
    return np.array([int(f"{index:0{bits}b}"[::-1], 2) for index in range(points)])


def _energies(plan: Plan, re: Array, im: Array) -> Array:
    power = (re * re + im * im) >> POWER_SHIFT
    bands = [power[:, first : first + len(w)] @ w.astype(np.int64) for first, w in plan.bands]
    return np.stack(bands, axis=1)


def _logarithms(plan: Plan, energy: Array) -> Array:
    """log2 in Q8, relative to one step of the converter; 0 for what is below."""
    unit = 2 * plan.fraction_bits - POWER_SHIFT + WEIGHT_BITS
    exponent = _floor_log2(np.maximum(energy, 1))
    mantissa = np.where(exponent >= 16, energy >> np.maximum(exponent - 16, 0), energy << np.maximum(16 - exponent, 0))
    place, rest = (mantissa >> 10) & 63, mantissa & 1023
    table = plan.logarithms.astype(np.int64)
    between = table[place] + (((table[place + 1] - table[place]) * rest + 512) >> 10)
    down = LOG_BITS - FEATURE_BITS
    logs = (((exponent - unit) << LOG_BITS) + between + (1 << (down - 1))) >> down
    return np.where(energy > 0, np.maximum(logs, 0), 0)


def _floor_log2(x: Array) -> Array:
    """Of ``int64`` above 0, without floating point."""
    result = np.zeros_like(x)
    for step in (32, 16, 8, 4, 2, 1):
        large = x >= (np.int64(1) << step)
        result += np.where(large, step, 0)
        x = np.where(large, x >> step, x)
    return result
