"""Confusion counts against scikit-learn, and nothing where labels name no classes."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.verify.confusion import MOST_CLASSES, confusion

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 5, 200)
ANSWERS = RNG.random((200, 5)).astype(np.float32)


def rows(found: list[str]) -> np.ndarray:
    return np.array([[int(word) for word in row.split()] for row in found])


def test_counts_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")

    found = confusion([LABELS], [ANSWERS], [np.eye(5)[LABELS]])

    wanted = metrics.confusion_matrix(LABELS, ANSWERS.argmax(axis=-1), labels=range(5))
    assert rows(found["artifact"]).tolist() == wanted.tolist()
    assert rows(found["float"]).tolist() == np.diag(np.bincount(LABELS, minlength=5)).tolist()


def test_one_score_alone_makes_two_classes() -> None:
    found = confusion([np.array([0, 0, 1])], [np.array([[0.1], [0.9], [0.8]])], None)

    assert found == {"artifact": ["1 1", "0 1"]}


@pytest.mark.parametrize(
    "truth",
    [[], [RNG.random((200, 5))], [np.zeros((7, 2))], [RNG.integers(0, 5, 200) + 0.5]],
    ids=["no labels", "values", "another shape", "fractions"],
)
def test_without_classes_there_is_nothing_to_count(truth: list[np.ndarray]) -> None:
    assert confusion(truth, [ANSWERS], None) == {}


def test_more_classes_than_anybody_reads_are_left_out() -> None:
    classes = MOST_CLASSES + 1

    assert confusion([np.arange(classes)], [np.eye(classes)], None) == {}
