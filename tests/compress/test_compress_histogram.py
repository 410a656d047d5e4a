"""Histograms of stored integers: every weight counted, zero in the middle, small enough for a report."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress.histogram import MOST_BINS, MOST_TENSORS, histograms

CASES = {
    "full int8": np.arange(-127, 128, dtype=np.int8),
    "the lowest int8": np.array([-128, 0, 127], np.int8),
    "four bits": np.array([-7, -7, 0, 3, 7], np.int8),
    "zeros only": np.zeros(9, np.int8),
    "int16": np.array([-32768, 0, 5, 32767], np.int16),
}


@pytest.mark.parametrize("codes", CASES.values(), ids=CASES)
def test_a_histogram_counts_every_weight_in_bins_about_zero(codes: np.ndarray) -> None:
    (found,) = histograms([("layer", codes)])

    counts = [int(word) for word in found.counts.split()]
    edges = (np.arange(len(counts) + 1) - len(counts) / 2) * found.width
    assert counts == np.histogram(codes, edges)[0].tolist()
    assert sum(counts) == found.weights == codes.size
    assert len(counts) <= MOST_BINS
    assert found.width % 2 == 1


def test_histograms_are_of_the_largest_tensors_in_their_order() -> None:
    tensors = [(f"layer {size}", np.ones(size, np.int8)) for size in range(1, MOST_TENSORS + 4)]

    found = histograms(tensors)

    assert [one.layer for one in found] == [f"layer {size}" for size in range(4, MOST_TENSORS + 4)]
