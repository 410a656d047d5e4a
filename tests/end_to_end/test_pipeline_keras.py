"""The whole way of a Keras model, through the command line in processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

MAKE = """
import sys, keras
keras.utils.set_random_seed(1)
x = keras.Input((8, 8, 1), name="image")
y = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
y = keras.layers.DepthwiseConv2D(3, padding="same")(y)
y = keras.layers.BatchNormalization()(y)
y = keras.layers.ReLU(6.0)(y)
y = keras.layers.GlobalAveragePooling2D()(y)
keras.Model(x, keras.layers.Dense(4, activation="softmax", name="digit")(y)).save(sys.argv[1])
"""


def run(folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object on stdout, and stderr."""
    command = [sys.executable, "-m", "edgecompile.cli", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras 3 model and data for it."""
    place = tmp_path_factory.mktemp("keras")
    subprocess.run([sys.executable, "-c", MAKE, str(place / "net.keras")], check=True, capture_output=True)
    draw = np.random.default_rng(5)
    x, y = draw.random((96, 8, 8, 1), dtype=np.float32), draw.integers(0, 4, 96)
    np.savez(place / "data.npz", x_train=x[:64], y_train=y[:64], x_test=x[64:], y_test=y[64:])
    return place


@pytest.mark.micro
def test_a_keras_model_becomes_a_verified_artifact_for_three_targets(folder: Path) -> None:
    targets = ("coral", "cortex-m4", "android-nnapi")
    flags = [word for target in targets for word in ("-t", target)]

    code, answer, _ = run(folder, "build", "net.keras", *flags, "--data", "data.npz", "--calibration-samples", "32")

    assert code == 0
    for report in answer["reports"]:
        measures = {measure["name"]: measure for measure in report["measures"]}
        assert report["status"] == "verified"
        assert measures["operators_on_cpu"]["value"] == 0
        assert measures["partitions"]["value"] == 1
        assert measures["metric"]["unit"] == measures["metric_float"]["unit"] == "top1"
        # Softmax steps of 1/256 on an untrained net: quantization noise moves an output by a few of them at most.
        assert report["details"]["agreement"][0]["max_steps"] < 8
        assert (folder / "build" / report["target"] / "net.tflite").is_file()


@pytest.mark.parametrize(
    ("numerics", "target", "dtype"),
    [
        pytest.param("int16x8", "cortex-m4", "int16", id="int16x8", marks=pytest.mark.micro),
        pytest.param("float32", "android-nnapi", "float32", id="float32"),
        pytest.param("float16", "android-nnapi", "float32", id="float16"),
        pytest.param("dynamic", "android-nnapi", "float32", id="dynamic"),
    ],
)
def test_every_numeric_scheme_builds_and_agrees(folder: Path, numerics: str, target: str, dtype: str) -> None:
    words = ("build", "net.keras", "-t", target, "--numerics", numerics, "--data", "data.npz")

    code, report, _ = run(folder, *words, "--calibration-samples", "32", "-o", f"out-{numerics}")

    from edgecompile.ir.reader import read_file

    network = read_file(folder / f"out-{numerics}" / target / "net.tflite").main
    assert (code, report["status"]) == (0, "verified")
    assert network.tensors[network.inputs[0]].dtype == dtype
    # Far below one part in a hundred of a probability, in every scheme that keeps floats or 16 bits.
    assert report["details"]["agreement"][0]["max_difference"] < 0.01


def test_without_data_the_build_says_what_it_needs_it_for(folder: Path) -> None:
    code, answer, errors = run(folder, "build", "net.keras", "-t", "coral", "-o", "nothing")

    assert code == 2
    assert [diagnostic["code"] for diagnostic in answer["diagnostics"]] == ["EC302"]
    assert "calibrat" in errors
    assert not (folder / "nothing").exists()


def test_noise_for_calibration_is_shouted_about(folder: Path) -> None:
    words = ("build", "net.keras", "-t", "coral", "--random-calibration", "--calibration-samples", "8", "-o", "noise")

    code, report, _ = run(folder, *words)

    assert code == 0
    assert "EC303" in {diagnostic["code"] for diagnostic in report["diagnostics"]}
    assert "RANDOM NOISE" in (folder / "noise/coral/report.txt").read_text()
    assert not {"metric", "metric_float"} & {measure["name"] for measure in report["measures"]}


def test_check_of_a_keras_model_needs_no_data_and_writes_nothing(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())

    code, report, _ = run(folder, "check", "net.keras", "-t", "android-nnapi")

    assert (code, report["status"], report["diagnostics"]) == (0, "built", [])
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_process_that_dies_is_a_diagnostic(folder: Path) -> None:
    (folder / "deadly.py").write_text("import os, signal\ndef model():\n    os.kill(os.getpid(), signal.SIGSEGV)\n")

    code, answer, _ = run(folder, "build", "deadly.py:model", "-t", "coral", "--random-calibration", "--trust")

    assert code == 1
    assert answer["diagnostics"][0]["code"] == "EC400"
    assert "SIGSEGV" in answer["diagnostics"][0]["message"]


@pytest.mark.parametrize("command", ["build", "check"])
def test_labels_that_no_output_fits_are_told_before_the_model_is_converted(
    folder: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    (tmp_path / "edgecompile.toml").write_text(
        f'[project]\nmodel = "{folder / "net.keras"}"\ntargets = ["android-cpu"]\n'
        f'[data]\nsource = "{folder / "data.npz"}"\nlabels = "labels.txt"\n'
    )

    code, answer, err = run(tmp_path, command)

    assert code == 2
    assert [d["code"] for d in answer["diagnostics"]] == ["EC760"]
    assert "Load" in err and "Convert" not in err
    assert not (tmp_path / "build").exists()
