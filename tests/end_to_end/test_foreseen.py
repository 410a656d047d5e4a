"""Labels that neither metric nor training can take are told before loading: the .keras here has no weights."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cli.main import main

CLASSES = np.arange(90) % 3
FRACTIONS = np.linspace(-1, 1, 90)
TRAIN = 'schema = 1\nsteps = [{ pass = "finetune" }]\n'


@pytest.fixture(autouse=True)
def no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process starts; the model is one dense layer of three classes behind eight inputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edgecompile.libs.child.call", lambda *_, **__: pytest.fail("a process was started"))
    head = {"name": "head", "units": 3, "activation": "softmax"}
    layer = {"class_name": "Dense", "config": head, "build_config": {"input_shape": [None, 8]}}
    config = {"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer", "config": {}}, layer]}}
    with zipfile.ZipFile("m.keras", "w") as written:
        written.writestr("config.json", json.dumps(config))
        written.writestr("model.weights.h5", b"")


def told(capsys: pytest.CaptureFixture[str], y: Any, *words: str, test: Any = None) -> tuple[int, dict[str, Any]]:
    """The exit code, and the only diagnostic, of a build with these labels."""
    x = np.zeros((len(y), 8), np.float32)
    held = y if test is None else test
    np.savez("d.npz", x_train=x, y_train=y, x_test=x[: len(held)], y_test=held)
    code = main(["build", "m.keras", "-t", "cortex-m4", "--data", "d.npz", "--no-cache", "--json", *words])
    (one,) = json.loads(capsys.readouterr().out)["diagnostics"]
    return code, one


@pytest.mark.parametrize(
    ("y", "test", "metric", "note"),
    [
        pytest.param(FRACTIONS, None, "top1", "labels are fractions, not class indices", id="fractions"),
        pytest.param(FRACTIONS, None, "auc", "labels are fractions, not class indices", id="fractions-auc"),
        pytest.param(CLASSES, np.zeros(30, int), "auc", "the labels name one class only", id="one-class"),
        pytest.param(np.eye(4)[CLASSES], None, "top1", "labels have shape [90, 4], the output [90, 3]", id="rows"),
    ],
)
def test_a_metric_that_labels_have_no_score_of(
    capsys: pytest.CaptureFixture[str], y: Any, test: Any, metric: str, note: str
) -> None:
    code, one = told(capsys, y, "--metric", metric, test=test)

    assert (code, one["code"]) == (2, "EC715")
    assert one["notes"][0].startswith(note)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        pytest.param(np.eye(4)[CLASSES], "labels do not have the output's shape", id="rows-of-four"),
        pytest.param(2 * np.eye(3)[CLASSES], "label rows are no distributions over the classes", id="no-distribution"),
        pytest.param(FRACTIONS, "labels do not have the output's shape", id="values"),
    ],
)
def test_labels_that_training_cannot_take(capsys: pytest.CaptureFixture[str], y: Any, message: str) -> None:
    Path("r.toml").write_text(TRAIN)

    code, one = told(capsys, y, "--recipe", "r.toml")

    assert (code, one["code"], one["message"]) == (2, "EC313", message)
    assert (one["location"]["file"], one["location"]["detail"]) == (str(Path("d.npz").absolute()), "array `y_train`")


def test_a_limit_on_the_drop_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["build", "m.keras", "-t", "cortex-m4", "--random-calibration", "--max-accuracy-drop", "1", "--json"])

    (one,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (code, one["code"], one["notes"][1]) == (2, "EC717", "there is no data, only noise")


def test_a_metrics_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, one = told(capsys, CLASSES, "--metric", "gone.py:score")

    assert (code, one["code"], one["message"]) == (2, "EC716", "there is no file `gone.py` with the metric")
