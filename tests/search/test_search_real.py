"""`edgecompile tune` as a user runs it: a real model, the real pipeline, what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.config.recipes import read_recipe

pytestmark = pytest.mark.tensorflow
TARGET = "cortex-m4"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows its task but for the noise, and samples of it."""
    from edgecompile.libs.keras import tf_keras

    folder = tmp_path_factory.mktemp("tune")
    keras, draw = tf_keras(), np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([layers.Input((12,)), layers.Dense(24, activation="relu"), layers.Dense(3, "softmax")])
    x = draw.normal(size=(600, 12)).astype(np.float32)
    y = (x[:, :9].reshape(-1, 3, 3).sum(axis=2) + draw.normal(size=(600, 3))).argmax(axis=1)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:400], y[:400], epochs=4, verbose=0)
    model.save(folder / "small.h5")
    np.savez(folder / "small.npz", x_train=x[:400], y_train=y[:400], x_test=x[400:], y_test=y[400:])
    return folder


@pytest.fixture(scope="module")
def found(place: Path) -> Path:
    """The output folder of a search that met its budgets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("EDGECOMPILE_CACHE", str(place / "cache"))
        assert main(words("--max-accuracy-drop", "20")) == 0
    return place / "out" / TARGET


def words(*more: str) -> list[str]:
    given = ["--data", "small.npz", "--metric", "top1", "--trials", "1", "--epochs", "0", "-o", "out"]
    return ["tune", "small.h5", "-t", TARGET, *given, *more]


def values(report: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in report["measures"]}


def test_the_best_is_built_and_what_is_told_of_it_is_measured_on_the_test_part(found: Path) -> None:
    front = json.loads((found / "front.json").read_text())
    report = json.loads((found / "report.json").read_text())
    best = next(one for one in front["points"] if one["trial"] == front["best"])

    assert report["status"] == "verified"
    assert best["test"]["values"]["accuracy"] == values(report)["metric"]
    assert best["test"]["values"]["flash"] == values(report)["flash_bytes"]
    assert "200 held-out samples" in best["test"]["methods"]["accuracy"]
    assert "60 held-out samples" in best["search"]["methods"]["accuracy"]


def test_the_answer_lies_beside_the_artifact(found: Path) -> None:
    report = json.loads((found / "report.json").read_text())

    written = {one["path"] for one in report["artifacts"]}
    assert {"best.toml", "front.json", "pareto.png", "small.tflite", "small.c"} <= written
    assert "The front of the search" in (found / "report.html").read_text()
    assert [step.name for step in read_recipe(str(found / "best.toml"), found).steps] == ["batch_norm"]


def test_build_makes_of_the_best_recipe_what_was_told_of(
    place: Path, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(place / "another-cache"))

    words = ["small.h5", "-t", TARGET, "--data", "small.npz", "--metric", "top1", "--recipe", str(found / "best.toml")]
    assert main(["build", *words, "-o", "again"]) == 0

    for name in ("small.tflite", "small.c", "small.h"):
        assert (place / "again" / TARGET / name).read_bytes() == (found / name).read_bytes()


def test_the_same_command_repeats_no_trial(
    place: Path, found: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(place / "cache"))
    journal = place / "build" / "tune" / TARGET / "journal.log"
    before = journal.read_bytes()

    code = main(words("--max-accuracy-drop", "20", "--json"))

    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert journal.read_bytes() == before
    assert printed["points"] == json.loads((found / "front.json").read_text())["points"]


def test_other_budgets_are_another_study(
    place: Path, found: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(place / "cache"))

    code = main(words("--flash", "64 KiB"))

    assert code == 2
    assert "EC853" in capsys.readouterr().err


def test_what_cannot_be_met_is_an_answer_and_writes_no_artifact(
    place: Path, found: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(place / "cache"))

    code = main([*words("--flash", "100", "--study", "tight"), "-o", "tight-out", "--json"])

    said = capsys.readouterr()
    printed = json.loads(said.out)
    assert code == 1
    assert "EC855" in said.err
    assert printed["best"] is None and printed["needed"][0]["limit"] == "flash"
    assert printed["needed"][0]["value"] == printed["points"][0]["test"]["values"]["flash"]
    assert not (place / "tight-out").exists()
    assert (place / "tight" / "pareto.png").is_file()
