"""Random numbers of a sample in an epoch: the same whichever batch it comes in, and after a resumed run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """Draws for some samples: ``indices`` are their places in the training data."""

    seed: int
    epoch: int
    indices: Array

    def uniform(self, stream: int, count: int = 1) -> Array:
        """``float64[n, count]`` in 0…1 (1 excluded); each ``stream`` is another sequence."""
        start = np.array([self.seed % 2**64], np.uint64)
        for part in (self.epoch, stream):
            start = _mixed(start + _times_golden(np.array([part + 1], np.uint64)))
        keys = _mixed(start + _times_golden(self.indices.astype(np.uint64) + np.uint64(1)))
        bits = _mixed(keys[:, None] + _times_golden(np.arange(1, count + 1, dtype=np.uint64))[None, :])
        high: Array = (bits >> np.uint64(11)).astype(np.float64)
        return high * 2.0**-53

    def normal(self, stream: int, count: int) -> Array:
        """``float64[n, count]`` of the standard normal distribution (Box and Muller, 1958)."""
        half = (count + 1) // 2
        u = self.uniform(stream, 2 * half)
        radius = np.sqrt(-2 * np.log1p(-u[:, :half]))
        angle = 2 * np.pi * u[:, half:]
        pairs: Array = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return pairs[:, :count]

    def integers(self, stream: int, limit: int) -> Array:
        """``int64[n]``, each of -limit…limit as likely as another."""
        places: Array = np.floor(self.uniform(stream)[:, 0] * (2 * limit + 1))
        return places.astype(np.int64) - limit


def order(seed: int, epoch: int, count: int) -> Array:
    """The order in which an epoch takes the samples."""
    return np.random.Generator(np.random.PCG64([seed % 2**64, epoch])).permutation(count)


def _mixed(z: Array) -> Array:
    """The finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = z ^ (z >> np.uint64(31))
    return mixed


def _times_golden(numbers: Array) -> Array:
    return numbers * np.uint64(_GOLDEN)
