"""A recipe with steps, from the Keras model to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pipeline_networks import classifier

from edgecompile.cli.main import main
from edgecompile.ir.reader import read_file
from edgecompile.ir.writer import write

_STEPS = 'schema = 1\nsteps = [{ pass = "finetune", epochs = 2, learning_rate = 0.01 }]\n'


@pytest.mark.tensorflow
def test_the_report_tells_what_each_step_bought(small_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_project / "r.toml").write_text(_STEPS)

    code = main(["build", "small.h5", "-t", "android-nnapi", "--data", "small.npz", "--recipe", "r.toml"])

    report = json.loads((small_project / "build/android-nnapi/report.json").read_text())
    steps = [row["step"] for row in report["details"]["compression"]]
    scores = [row["score"] for row in report["details"]["compression records"]["steps"]]
    assert code == 0
    assert steps == ["as given", "finetune epochs 2 learning_rate 0.01", "int8"]
    assert scores[1] > scores[0]
    assert report["status"] == "verified"
    # A tenth of 300 training samples is held out.
    assert f"{scores[1]:.4f} on 30 validation samples" in " ".join(capsys.readouterr().err.split())
    for name in ("report.txt", "report.html"):
        words = " ".join((small_project / "build/android-nnapi" / name).read_text().split())
        assert "he score is measured on 30 validation samples" in words


@pytest.mark.tensorflow
def test_scores_are_held_against_the_model_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgecompile.libs.keras import tf_keras

    keras = tf_keras()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    norm = layers.BatchNormalization()
    model = keras.Sequential([layers.Input((8,)), layers.Dense(8), norm, layers.ReLU(), layers.Dense(2, "softmax")])
    x = np.random.default_rng(0).normal(size=(900, 8)).astype(np.float32)
    y = (x[:, :4].sum(1) > x[:, 4:].sum(1)).astype(np.int64)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x[:600], y[:600], epochs=5, verbose=0)
    # Statistics of other data than the samples.
    norm.moving_mean.assign_add(np.full(8, 50, np.float32))
    given = float((model.predict(x[600:], verbose=0).argmax(1) == y[600:]).mean())
    model.save(tmp_path / "off.h5")
    np.savez(tmp_path / "off.npz", x_train=x[:600], y_train=y[:600], x_test=x[600:], y_test=y[600:])
    (tmp_path / "r.toml").write_text('schema = 1\nsteps = [{ pass = "batch_norm" }]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))

    code = main(
        ["build", "off.h5", "-t", "android-nnapi", "--data", "off.npz", "--recipe", "r.toml", "--metric", "top1"]
    )

    report = json.loads((tmp_path / "build/android-nnapi/report.json").read_text())
    (emitted,) = [measure["value"] for measure in report["measures"] if measure["name"] == "metric"]
    assert code == 0
    assert emitted > given + 0.1
    assert f"float {100 * given:.1f} %" in (tmp_path / "build/android-nnapi/report.txt").read_text()


def test_check_says_that_it_takes_no_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.tflite").write_bytes(write(classifier()))
    (tmp_path / "r.toml").write_text(_STEPS)

    code = main(["check", str(tmp_path / "small.tflite"), "-t", "android-nnapi", "--recipe", str(tmp_path / "r.toml")])

    assert code == 0
    assert "EC309" in capsys.readouterr().err


@pytest.mark.tensorflow
def test_a_float_tflite_goes_through_the_steps_as_its_model_would(small_project: Path) -> None:
    (small_project / "r.toml").write_text(_STEPS)
    _converted(small_project / "small.h5", small_project / "small.tflite")

    code = main(["build", "small.tflite", "-t", "android-nnapi", "--data", "small.npz", "--recipe", "r.toml"])

    report = json.loads((small_project / "build/android-nnapi/report.json").read_text())
    scores = [row["score"] for row in report["details"]["compression records"]["steps"]]
    built = read_file(small_project / "build/android-nnapi/small.tflite")
    assert code == 0
    assert [row["step"] for row in report["details"]["compression"]][1:] == [
        "finetune epochs 2 learning_rate 0.01",
        "int8",
    ]
    assert scores[1] > scores[0]
    assert (report["status"], report["recipe"]["numerics"]) == ("verified", "int8")
    assert "float32" not in {tensor.dtype for tensor in built.main.tensors}


def _converted(model: Path, place: Path) -> None:
    from edgecompile.libs.keras import tensorflow, tf_keras

    converter = tensorflow().lite.TFLiteConverter.from_keras_model(tf_keras().models.load_model(model))
    place.write_bytes(converter.convert())


REFUSED = {
    "integers": (_STEPS, "is in int8 already"),
    "a step on layers": ('schema = 1\nsteps = [{ pass = "batch_norm" }]\n', "`batch_norm` changes layers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_tflite_that_steps_cannot_change_is_ec308(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, message = REFUSED[case]
    (tmp_path / "small.tflite").write_bytes(write(classifier()))
    (tmp_path / "r.toml").write_text(steps)
    words = ["-t", "android-nnapi", "--recipe", str(tmp_path / "r.toml"), "-o", str(tmp_path / "out")]

    code = main(["build", str(tmp_path / "small.tflite"), *words])

    said = capsys.readouterr().err
    assert code == 2
    assert "EC308" in said and message in " ".join(said.split())
    assert not (tmp_path / "out" / "android-nnapi").exists()
