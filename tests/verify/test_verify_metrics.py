"""Metrics against scikit-learn, and labels in every form that people keep them in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Accuracy
from edgecompile.verify.accuracy import Samples, held
from edgecompile.verify.metric import check_metric, infer, score

HERE = Path()
RNG = np.random.default_rng(0)
SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6]], np.float32)
CLASSES = np.array([0, 1, 2, 2])
SIGMOID = np.array([[0.9], [0.2], [0.5], [0.4]], np.float32)
BINARY = np.array([1, 0, 1, 1])
PIXELS = RNG.random((2, 3, 3, 4)).astype(np.float32)
MASK = RNG.integers(0, 4, (2, 3, 3))
X = np.zeros((4, 1), np.float32)


def value(metric: str, truth: Any, output: Any, x: Any = X) -> float:
    return score(
        metric, () if truth is None else (np.asarray(truth),), (np.asarray(output),), (np.asarray(x),), HERE
    ).value


TOP1 = {
    "indices": (CLASSES, SCORES, 0.75),
    "indices in a column": (CLASSES[:, None], SCORES, 0.75),
    "whole floats": (CLASSES.astype(np.float32), SCORES, 0.75),
    "one-hot": (np.eye(3)[CLASSES], SCORES, 0.75),
    "one-hot integers": (np.eye(3, dtype=np.int64)[CLASSES], SCORES, 0.75),
    "probability of class 1": (BINARY, SIGMOID, 0.75),
    "logit of class 1": (BINARY, np.array([[3.0], [-2.0], [0.1], [-0.4]]), 0.75),
    "one score without a column": (BINARY, SIGMOID[:, 0], 0.75),
    "booleans": (BINARY.astype(bool), SIGMOID, 0.75),
    "pixels": (PIXELS.argmax(-1), PIXELS, 1.0),
}


@pytest.mark.parametrize(("truth", "output", "wanted"), TOP1.values(), ids=TOP1)
def test_top1_takes_labels_in_every_form(truth: Any, output: Any, wanted: float) -> None:
    assert value("top1", truth, output) == wanted


def test_auc_equals_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    truth, scores = RNG.integers(0, 2, 200), np.round(RNG.random(200), 1)  # rounded: many ties
    many, table = RNG.integers(0, 3, 200), RNG.random((200, 3))

    ours, theirs = value("auc", truth, scores), metrics.roc_auc_score(truth, scores)
    assert ours == pytest.approx(theirs, abs=1e-12)  # float64 sums in another order
    per_class = [metrics.roc_auc_score(many == index, table[:, index]) for index in range(3)]
    assert value("auc", many, table) == pytest.approx(np.mean(per_class), abs=1e-12)
    two = np.stack([1 - scores, scores], axis=1)
    assert value("auc", truth, two) == pytest.approx(theirs, abs=1e-12)


def test_auc_of_an_autoencoder_ranks_reconstruction_errors() -> None:
    x = RNG.normal(size=(6, 5)).astype(np.float32)
    output = x + np.array([0, 0, 0, 1, 2, 0.1])[:, None]

    assert value("auc", [0, 0, 0, 1, 1, 0], output, x) == 1.0
    assert value("auc", [0, 0, 0, 0, 1, 1], output, x) == 0.875


def test_mse_equals_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    truth, output = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3))

    assert value("mse", truth, output) == pytest.approx(metrics.mean_squared_error(truth, output), rel=1e-12)
    assert value("mse", truth[:, 0], output[:, :1]) == pytest.approx(np.mean((truth[:, 0] - output[:, 0]) ** 2))


def test_mse_without_labels_compares_with_the_inputs() -> None:
    x = np.array([[1.0, 2.0]])

    assert value("mse", None, x + 2, x) == 4.0


def test_miou_equals_scikit_learns_jaccard_score() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    found = PIXELS.argmax(-1)

    wanted = metrics.jaccard_score(MASK.ravel(), found.ravel(), average="macro")

    assert value("miou", MASK, PIXELS) == pytest.approx(wanted, abs=1e-12)
    assert value("miou", MASK[..., None], PIXELS) == pytest.approx(wanted, abs=1e-12)
    assert value("miou", np.eye(4)[MASK], PIXELS) == pytest.approx(wanted, abs=1e-12)


def test_miou_leaves_out_classes_that_do_not_occur() -> None:
    output = np.zeros((1, 1, 2, 5))
    output[..., 0] = 1

    assert value("miou", [[[0, 0]]], output) == 1.0


def test_several_outputs_are_scored_by_themselves_and_averaged() -> None:
    found = score("top1", (CLASSES, BINARY), (SCORES, SIGMOID), (X,), HERE)

    assert found.per_output == (0.75, 0.75)
    assert found.value == 0.75
    assert found.higher_is_better


INFERRED = {
    "class indices": (CLASSES, SCORES, "top1"),
    "one-hot": (np.eye(3)[CLASSES], SCORES, "top1"),
    "binary": (BINARY, SIGMOID, "top1"),
    "regression": (np.array([0.1, 0.5, 2.0, 3.0]), SIGMOID, "mse"),
    "regression on whole numbers": (np.array([1.0, 0.0, 1.0, 5.0]), SIGMOID, "mse"),
    "counts": (np.array([0, 3, 7, 1]), SIGMOID, "mse"),
    "masks": (MASK, PIXELS, "top1"),
    "nothing that fits": (np.zeros((4, 7)), SCORES, None),
}


@pytest.mark.parametrize(("truth", "output", "wanted"), INFERRED.values(), ids=INFERRED)
def test_labels_suggest_a_metric(truth: Any, output: Any, wanted: str | None) -> None:
    assert infer((truth,), (output,)) == wanted


def test_outputs_of_unlike_kinds_suggest_no_metric() -> None:
    values = np.array([0.1, 0.5, 2.0, 3.0])

    assert infer((CLASSES, values), (SCORES, SIGMOID)) is None
    assert infer((CLASSES, BINARY), (SCORES, SIGMOID)) == "top1"


def test_outputs_of_unlike_kinds_are_told_to_be_unscored() -> None:
    outputs: Any = SimpleNamespace(real=lambda: (SCORES, SIGMOID))
    samples = Samples(x=(X,), y=(CLASSES, np.array([0.1, 0.5, 2.0, 3.0])), held_out=True, base=HERE)

    found = held(outputs, (SCORES, SIGMOID), samples, Accuracy(), "two.tflite")

    assert [(one.code, one.severity) for one in found.diagnostics] == [("EC717", Severity.NOTE)]
    assert found.measures == ()


def test_what_cannot_be_scored_names_the_output() -> None:
    with pytest.raises(BadInputError) as raised:
        score("top1", (CLASSES, np.array([0.1, 0.5, 2.0, 3.0])), (SCORES, SIGMOID), (X,), HERE)

    assert "output 2 of 2" in raised.value.diagnostics[0].notes[0]


def test_no_labels_suggest_none() -> None:
    assert infer((), (SCORES,)) is None


MISFITS = {
    "a label beyond the classes": ("top1", [0, 1, 2, 3], SCORES, "labels run from 0 to 3"),
    "a negative label": ("top1", [0, 1, 2, -1], SCORES, "labels run from -1 to 2"),
    "fractions": ("top1", [0.5, 1, 2, 1], SCORES, "fractions"),
    "texts": ("top1", ["a", "b", "c", "d"], SCORES, "not class indices"),
    "another shape": ("top1", np.zeros((4, 2)), SCORES, "labels have shape [4, 2], the output [4, 3]"),
    "no labels": ("top1", None, SCORES, "there are no labels"),
    "no labels for auc": ("auc", None, SCORES, "there are no labels"),
    "no labels for miou": ("miou", None, PIXELS, "there are no labels"),
    "one class only": ("auc", [1, 1, 1, 1], SIGMOID, "one class only"),
    "one class of many": ("auc", [2, 2, 2, 2], SCORES, "one class only"),
    "values of another shape": ("mse", np.zeros((4, 2)), SCORES, "labels have shape [4, 2]"),
    "inputs of another shape": ("mse", None, SCORES, "the inputs (there are no labels) have shape [4, 1]"),
    "texts as values": ("mse", [["a"], ["b"], ["c"], ["d"]], SIGMOID, "not numbers"),
}


@pytest.mark.parametrize(("metric", "truth", "output", "words"), MISFITS.values(), ids=MISFITS)
def test_labels_that_do_not_go_with_the_output_are_ec715(metric: str, truth: Any, output: Any, words: str) -> None:
    with pytest.raises(BadInputError) as raised:
        value(metric, truth, output)

    assert raised.value.diagnostics[0].code == "EC715"
    assert words in raised.value.diagnostics[0].notes[0]


def test_a_metric_that_does_not_exist_is_ec714_with_the_near_name() -> None:
    with pytest.raises(BadInputError) as raised:
        check_metric("top-1")

    assert raised.value.diagnostics[0].code == "EC714"
    assert "did you mean `top1`?" in raised.value.diagnostics[0].help
    check_metric(None)
    check_metric("mine:score")


# -- the user's own -----------------------------------------------------------------------------------------------

OWN = """
import numpy as np

def hits(y_true, y_pred):
    return np.mean(y_true == y_pred.argmax(-1))

def misses(y_true, y_pred):
    return 1 - hits(y_true, y_pred)

misses.higher_is_better = False

def words(y_true, y_pred):
    return "good"

def nan(y_true, y_pred):
    return float("nan")

def fails(y_true, y_pred):
    return y_true["a"]

def leaves(y_true, y_pred):
    raise SystemExit(3)

def dies(y_true, y_pred):
    import os
    os.abort()
"""


@pytest.mark.parametrize("module", ["own_metrics", "own_metrics.py"])
def test_a_function_of_the_users_scores_too(tmp_path: Path, module: str) -> None:
    (tmp_path / "own_metrics.py").write_text(OWN)

    hits = score(f"{module}:hits", (CLASSES,), (SCORES,), (X,), tmp_path)
    misses = score(f"{module}:misses", (CLASSES,), (SCORES,), (X,), tmp_path)

    assert (hits.value, hits.higher_is_better) == (0.75, True)
    assert (misses.value, misses.higher_is_better) == (0.25, False)


FAULTS = {
    "no such module": ("absent:hits", "cannot be imported"),
    "no such function": ("own_metrics:hit", "did you mean `hits`?"),
    "a text": ("own_metrics:words", "found: good, a `str`"),
    "nan": ("own_metrics:nan", "gave no finite number"),
    "an exception": ("own_metrics:fails", "own_metrics.py, line 19: return y_true"),
    "an exit": ("own_metrics:leaves", "SystemExit: 3"),
    "a crash": ("own_metrics:dies", "SIGABRT"),
}


@pytest.mark.parametrize(("metric", "words"), FAULTS.values(), ids=FAULTS)
def test_a_function_that_cannot_be_used_is_ec716(tmp_path: Path, metric: str, words: str) -> None:
    (tmp_path / "own_metrics.py").write_text(OWN)

    with pytest.raises(BadInputError) as raised:
        score(metric, (CLASSES,), (SCORES,), (X,), tmp_path)

    assert raised.value.diagnostics[0].code == "EC716"
    assert words in raised.value.diagnostics[0].render()
