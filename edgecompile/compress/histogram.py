"""How often each stored integer occurs in a network's largest weight tensors: what pruning and sharing look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MOST_BINS = 63
MOST_TENSORS = 12


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of a tensor's integers in bins of ``width`` values (odd); the middle bin has 0 in its middle.

    ``counts`` are numbers with spaces between them, from the lowest bin up: a line in a report, not hundreds.
    """

    layer: str
    weights: int
    width: int
    counts: str


def histograms(tensors: Sequence[tuple[str, Array]]) -> tuple[Histogram, ...]:
    """Of the largest tensors, in the order given; each is the layer's name and its integers."""
    largest = sorted(range(len(tensors)), key=lambda index: (-tensors[index][1].size, index))[:MOST_TENSORS]
    return tuple(_histogram(*tensors[index]) for index in sorted(largest))


def _histogram(layer: str, codes: Array) -> Histogram:
    flat = codes.reshape(-1).astype(np.int64)
    peak = max(1, int(np.abs(flat).max(initial=0)))
    width = _width(peak)
    side = (peak + width // 2) // width
    bins = (flat + width // 2) // width + side
    counts = np.bincount(bins, minlength=2 * side + 1)
    return Histogram(layer=layer, weights=flat.size, width=width, counts=" ".join(map(str, counts.tolist())))


def _width(peak: int) -> int:
    """The smallest odd width with which -peak to peak takes no more than the bins allowed."""
    width = 1
    while 2 * ((peak + width // 2) // width) + 1 > MOST_BINS:
        width += 2
    return width
