"""The sizes and tables of a front end: window, twiddles, mel bands, logarithm, cosine transform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edgecompile.core.project import Features

Array = np.ndarray[Any, Any]
# Binary places: of a feature, of logarithms in the table, of twiddles and the cosine transform, of band weights.
FEATURE_BITS, LOG_BITS, TWIDDLE_BITS, WEIGHT_BITS = 8, 12, 14, 12
# What a power loses before it is weighted: with it 2^60, the most there can be, times a weight stays below 2^63.
POWER_SHIFT = 9
LOG_STEPS = 64
_SMALLEST, _LARGEST = 64, 4096


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``features`` of clips of ``length`` samples at ``sample_rate`` Hz; see :func:`plan_of`."""

    features: Features
    sample_rate: int
    length: int

    @property
    def size(self) -> int:
        """Points of the Fourier transform: the power of two that takes a window."""
        return max(_SMALLEST, 1 << (self.features.window - 1).bit_length())

    @property
    def rows(self) -> int:
        """Windows that fit into a clip."""
        return (self.length - self.features.window) // self.features.step + 1

    @property
    def columns(self) -> int:
        """Values of a row."""
        return self.features.coefficients if self.features.kind == "mfcc" else self.features.bands

    @property
    def fraction_bits(self) -> int:
        """Binary places of windowed samples: as many as leave the transform within int32."""
        return 16 - self.size.bit_length()

    @property
    def range(self) -> tuple[int, int]:
        """The least and the largest feature that can come out."""
        most = 63 << FEATURE_BITS
        if self.features.kind != "mfcc":
            return 0, most
        reach = int(most * np.sqrt(self.features.bands)) + 1
        return -reach, reach

    @cached_property
    def window(self) -> Array:
        """Hann, ``int16[window]`` in Q15: sin^2(pi n / window)."""
        n = np.arange(self.features.window)
        exact = np.sin(np.pi * n / self.features.window) ** 2
        return np.asarray(np.minimum(np.rint(exact * 32768), 32767), np.int16)

    @cached_property
    def twiddles(self) -> Array:
        """``int16[size / 2, 2]``: cosine and sine of 2 pi k / size in Q14."""
        angle = 2 * np.pi * np.arange(self.size // 2) / self.size
        both = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return np.asarray(np.rint(both * (1 << TWIDDLE_BITS)), np.int16)

    @cached_property
    def bands(self) -> tuple[tuple[int, Array], ...]:
        """For each band its first bin and ``int16`` weights in Q12: triangles of height 1 on the mel scale."""
        edges = _hertz(np.linspace(_mel(self.features.low_hz), _mel(self.high_hz), self.features.bands + 2))
        bins = np.arange(self.size // 2 + 1) * (self.sample_rate / self.size)
        return tuple(_band(bins, *edges[b : b + 3]) for b in range(self.features.bands))

    @cached_property
    def logarithms(self) -> Array:
        """``int16[65]``: log2(1 + i / 64) in Q12."""
        exact = np.log2(1 + np.arange(LOG_STEPS + 1) / LOG_STEPS)
        return np.asarray(np.rint(exact * (1 << LOG_BITS)), np.int16)

    @cached_property
    def cosines(self) -> Array:
        """``int16[coefficients, bands]`` in Q14: the orthonormal cosine transform, type II."""
        count = self.features.bands
        k, b = np.arange(self.features.coefficients)[:, None], np.arange(count)[None, :]
        exact = np.cos(np.pi * k * (2 * b + 1) / (2 * count)) * np.sqrt(np.where(k == 0, 1.0, 2.0) / count)
        return np.asarray(np.rint(exact * (1 << TWIDDLE_BITS)), np.int16)

    @property
    def high_hz(self) -> float:
        """Where the last band ends."""
        return self.sample_rate / 2 if self.features.high_hz is None else self.features.high_hz

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, from which :func:`from_dict` makes the plan again."""
        chosen = {**asdict(self.features), "high_hz": self.high_hz}
        if self.features.kind != "mfcc":
            del chosen["coefficients"]
        return {**chosen, "sample_rate": self.sample_rate, "length": self.length, "shape": [self.rows, self.columns]}


def from_dict(plain: dict[str, Any]) -> Plan:
    """The inverse of :meth:`Plan.to_dict`."""
    names = Features.__dataclass_fields__
    features = Features(**{key: value for key, value in plain.items() if key in names})
    return Plan(features=features, sample_rate=plain["sample_rate"], length=plain["length"])


def plan_of(features: Features, sample_rate: int | None, length: int) -> Plan:
    """The plan for clips of ``length`` samples. Raises ValueError with all that :func:`wrong` finds."""
    problems = list(wrong(features, sample_rate, length))
    if problems:
        raise ValueError("; ".join(problems))
    assert sample_rate is not None
    return Plan(features=features, sample_rate=sample_rate, length=length)


def wrong(features: Features, sample_rate: int | None, length: int) -> Iterator[str]:
    """What keeps such features from being computed, each in words with limit and found value."""
    if sample_rate is None:
        yield "`sample_rate` under [data.preprocess] is missing: the mel scale is one of Hz"
        return
    high = sample_rate / 2 if features.high_hz is None else features.high_hz
    if not 2 <= features.window <= _LARGEST:
        yield f"`window` must be 2 to {_LARGEST} samples, and is {features.window}"
    if features.step > features.window:
        yield f"`step` ({features.step} samples) is longer than `window` ({features.window}): samples would be lost"
    if features.window > length:
        yield f"`window` is {features.window} samples, and a clip has {length}"
    if not features.low_hz < high <= sample_rate / 2:
        yield f"bands must lie between 0 and {sample_rate / 2:g} Hz, and go from {features.low_hz:g} to {high:g}"
    elif features.kind == "mfcc" and features.coefficients > features.bands:
        yield f"`coefficients` ({features.coefficients}) are more than `bands` ({features.bands})"
    elif 2 <= features.window <= _LARGEST:
        bands = Plan(features=features, sample_rate=sample_rate, length=length).bands
        empty = [index for index, (_, weights) in enumerate(bands) if len(weights) == 0]
        if empty:
            step = sample_rate / Plan(features=features, sample_rate=sample_rate, length=length).size
            yield (
                f"{len(empty)} of {features.bands} bands hold no point of the spectrum, the first is band {empty[0]}: "
                f"points are {step:.1f} Hz apart; take fewer bands, a higher `low_hz` or a longer window"
            )


def _mel(hertz: float) -> float:
    """O'Shaughnessy, Speech Communication, 1987: 2595 log10(1 + f / 700)."""
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: Array) -> Array:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def _band(bins: Array, low: float, middle: float, high: float) -> tuple[int, Array]:
    height = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    weights = np.rint(np.maximum(height, 0) * (1 << WEIGHT_BITS)).astype(np.int16)
    (inside,) = np.nonzero(weights)
    if len(inside) == 0:
        return 0, weights[:0]
    return int(inside[0]), weights[inside[0] : inside[-1] + 1]
