"""Splits: apart, by class, seeded, and never at the test part's cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.core.project import DataSpec
from edgecompile.frontend.data_set import Split
from edgecompile.frontend.data_split import draw, split

SPEC = DataSpec(source="d", validation=0.1, test=0.2, calibration_samples=30)


def samples(y: Any, start: int = 0) -> Split:
    """Samples that can be told apart: x is their number."""
    labels = np.asarray(y)
    return Split(x=(np.arange(start, start + len(labels), dtype=np.float32)[:, None],), y=(labels,))


def numbers(part: Split | None) -> list[int]:
    """The numbers of a part's samples."""
    assert part is not None
    return [int(number) for number in part.x[0][:, 0]]


UNEVEN = np.repeat([0, 1, 2], [100, 50, 10])


def test_parts_share_no_sample_and_lose_none() -> None:
    parts, _ = split({"train": samples(UNEVEN)}, SPEC, seed=0)

    train, validation, test = (set(numbers(parts[name])) for name in ("train", "validation", "test"))
    assert train | validation | test == set(range(160))
    assert len(train) + len(validation) + len(test) == 160
    assert set(numbers(parts["calibration"])) <= train


def test_each_part_keeps_the_share_of_each_class() -> None:
    parts, _ = split({"train": samples(UNEVEN)}, SPEC, seed=0)

    counts = {name: np.bincount(part.y[0]).tolist() for name, part in parts.items() if part is not None}
    assert counts == {"train": [72, 36, 7], "validation": [8, 4, 1], "calibration": [19, 9, 2], "test": [20, 10, 2]}


def test_labels_stay_with_their_samples() -> None:
    parts, _ = split({"train": samples(UNEVEN)}, SPEC, seed=0)

    for part in parts.values():
        assert part is not None
        assert [int(UNEVEN[number]) for number in numbers(part)] == part.y[0].tolist()


def test_the_same_seed_gives_the_same_splits_and_another_gives_others() -> None:
    first, again, other = (split({"train": samples(UNEVEN)}, SPEC, seed)[0] for seed in (7, 7, 8))

    for name in first:
        assert numbers(first[name]) == numbers(again[name])
    assert numbers(first["test"]) != numbers(other["test"])


def test_splits_of_a_seed_never_change() -> None:
    # Written down once: RandomState's streams are frozen, so a change here is a change of ours.
    parts, _ = split({"train": samples([0, 1] * 10)}, DataSpec(source="d", calibration_samples=4), seed=0)

    assert numbers(parts["test"]) == [16, 4, 7, 11]
    assert numbers(parts["calibration"]) == [12, 2, 15, 13]


@pytest.mark.parametrize(("count", "drawn"), [(50, 50), (300, 200)], ids=["all there are", "the usual number"])
def test_a_number_nobody_asked_for_is_no_demand(count: int, drawn: int) -> None:
    parts, _ = split({"train": samples([0, 1] * (count // 2))}, DataSpec(source="d", validation=0, test=0), seed=0)

    assert len(numbers(parts["calibration"])) == drawn


def test_a_given_test_part_is_untouched_and_validation_comes_from_training() -> None:
    parts, origin = split({"train": samples(UNEVEN), "test": samples([0, 1], start=500)}, SPEC, seed=0)

    assert numbers(parts["test"]) == [500, 501]
    assert max(numbers(parts["validation"])) < 160
    assert origin["test"] == "the source"
    assert origin["validation"] == "0.1 of the training part, by class"


def test_no_share_splits_nothing_off() -> None:
    parts, _ = split(
        {"train": samples(UNEVEN)}, DataSpec(source="d", validation=0, test=0, calibration_samples=9), seed=0
    )

    assert (parts["validation"], parts["test"]) == (None, None)
    assert numbers(parts["train"]) == list(range(160))


@pytest.mark.parametrize(
    "y",
    [
        pytest.param(np.linspace(0, 1, 50), id="regression"),
        pytest.param(np.eye(5)[np.arange(50) % 5], id="one-hot"),
        pytest.param(np.zeros((50, 4, 4), np.int64), id="dense"),
        pytest.param(np.arange(50), id="every-sample-its-class"),
    ],
)
@pytest.mark.parametrize("count", [1, 7, 49, 50])
def test_a_draw_gives_exactly_the_count_and_no_sample_twice(y: Any, count: int) -> None:
    chosen = draw(samples(y), count, np.random.RandomState(0))

    assert len(chosen) == count
    assert len(set(chosen.tolist())) == count


def test_one_hot_labels_are_drawn_by_class() -> None:
    one_hot = np.eye(3)[UNEVEN]

    chosen = draw(samples(one_hot), 16, np.random.RandomState(0))

    assert np.bincount(UNEVEN[chosen]).tolist() == [10, 5, 1]


def test_samples_without_labels_are_drawn_too() -> None:
    part = Split(x=(np.zeros((9, 2)),))

    assert sorted(draw(part, 9, np.random.RandomState(0)).tolist()) == list(range(9))
