"""Patterns of zeros and how many each layer takes, against definitions written out in loops."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress.oneshot.allocate import ALLOCATIONS, lamp, rates
from edgecompile.compress.oneshot.masks import holds, lowest
from edgecompile.compress.subject import PATTERNS
from edgecompile.kernels.weight_forms import blocks_of

SHAPES = {"conv": (6, 3, 3, 8), "odd": (5, 3, 3, 7), "dense": (10, 12)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masks_have_their_pattern_and_their_share(pattern: str, shape: tuple[int, ...]) -> None:
    scores = np.random.default_rng(0).random(shape)

    zeros = lowest(scores, pattern, 0.5)

    assert holds(zeros, pattern)
    whole = shape[-1] // 4 * 4 / shape[-1]
    assert zeros.mean() == pytest.approx(0.5 * whole if pattern == "2:4" else 0.5, abs=0.05)


def test_unstructured_zeros_are_the_least_scores() -> None:
    scores = np.random.default_rng(0).random((4, 10))

    zeros = lowest(scores, "unstructured", 0.25)

    assert scores[zeros].max() < scores[~zeros].min()


def test_blocks_are_those_that_the_kernels_leave_out() -> None:
    zeros = lowest(np.random.default_rng(0).random((5, 3, 3, 7)), "block2x2", 0.4)

    codes = np.where(zeros, 0, 1).astype(np.int8)

    there = blocks_of(codes).any(axis=(2, 3))
    assert 1 - there.mean() == pytest.approx(0.4, abs=0.01)


def test_two_of_every_four_neighbours_go() -> None:
    zeros = lowest(np.array([[1.0, 4.0, 2.0, 3.0, 0.0, 0.0, 9.0, 8.0, 0.1]]), "2:4", 0.5)

    assert zeros.tolist() == [[True, False, True, False, True, True, False, False, False]]


def test_a_mask_without_its_pattern_is_seen() -> None:
    zeros = np.zeros((2, 4), bool)
    zeros[0, 0] = True

    assert [holds(zeros, pattern) for pattern in PATTERNS] == [True, False, False]


def test_lamp_is_its_definition() -> None:
    scores = np.array([4.0, 1.0, 9.0, 1.0])

    found = lamp(scores)

    # Equal scores fall in order of position.
    assert found == pytest.approx([4 / 13, 1 / 15, 1.0, 1 / 14])


@pytest.mark.parametrize("allocation", ALLOCATIONS)
@pytest.mark.parametrize("pattern", ["unstructured", "block2x2"])
def test_rates_add_up_to_the_sparsity_asked_for(allocation: str, pattern: str) -> None:
    random = np.random.default_rng(0)
    scores = {"small": random.random((4, 3, 3, 4)), "large": 5 * random.random((32, 3, 3, 16)) ** 4}

    found = rates(scores, 0.6, pattern, allocation, 0.95)

    zeros = sum(found[key] * scores[key].size for key in scores)
    assert zeros / sum(array.size for array in scores.values()) == pytest.approx(0.6, abs=0.01)
    assert all(0 <= rate <= 0.95 for rate in found.values())
    assert allocation == "uniform" or found["large"] > found["small"]


def test_no_tensor_loses_more_than_it_may() -> None:
    scores = {"tiny": np.full((8, 8), 1e-9), "other": np.random.default_rng(0).random((8, 8))}

    found = rates(scores, 0.5, "unstructured", "lamp", 0.6)

    assert max(found.values()) <= 0.6


def test_two_of_four_leaves_no_rate_to_choose() -> None:
    assert rates({"a": np.ones((4, 4))}, 0.9, "2:4", "lamp", 0.95) == {"a": 0.5}
