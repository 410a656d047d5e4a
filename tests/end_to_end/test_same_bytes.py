"""The same project gives the same bytes wherever it is built: folder, locale, time zone, threads, hashing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_networks import project, samples

from edgecompile.emit.output import without_durations

ONE = {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
OTHER = {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "LANGUAGE": "de", "OMP_NUM_THREADS": "2"}
OTHER |= {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "2"}


def built(folder: Path, environment: dict[str, str], words: list[str], **more: Any) -> dict[str, bytes]:
    """What a build in the folder writes, by name; the report without durations, the page and the text left out."""
    command = [sys.executable, "-m", "edgecompile.cli", "build", *words, "-o", "out", "--no-cache", "-q"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, **more
    )
    assert done.returncode == 0, done.stderr
    files = {
        path.relative_to(folder / "out").as_posix(): path for path in (folder / "out").rglob("*") if path.is_file()
    }
    contents = {
        name: path.read_bytes() for name, path in files.items() if not name.endswith(("report.txt", "report.html"))
    }
    return {name: without_durations(held) if name.endswith("report.json") else held for name, held in contents.items()}


@pytest.mark.micro
def test_folder_locale_zone_threads_and_hashing_change_no_byte(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "a folder of another name, and longer")
    words = ["net.tflite", "--data", "data.npz", "-t", "cortex-m4", "-t", "coral", "-t", "android-nnapi"]
    found = []
    for folder, environment, mask in zip(folders, (ONE, OTHER), (0o022, 0o077), strict=True):
        folder.mkdir()
        project(folder)
        samples(folder / "data.npz")
        found.append(built(folder, environment, words, preexec_fn=partial(os.umask, mask)))

    first, second = found

    assert len(first) > 10
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


MODEL = """
import sys, keras
keras.utils.set_random_seed(1)
x = keras.Input((8, 8, 1), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu")(x)
y = keras.layers.Flatten()(y)
keras.Model(x, keras.layers.Dense(4, activation="softmax")(y)).save(sys.argv[1])
"""
RECIPE = """
steps = [{ pass = "prune", sparsity = 0.5, epochs = 2 }]
numerics = "int8"
"""


@pytest.mark.tensorflow
@pytest.mark.slow
def test_training_gives_the_same_weights_on_one_processor_and_on_all(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", MODEL, str(tmp_path / "net.keras")], check=True, capture_output=True)
    draw = np.random.default_rng(5)
    x, y = draw.random((256, 8, 8, 1), dtype=np.float32), draw.integers(0, 4, 256)
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y, x_test=x[:32], y_test=y[:32])
    (tmp_path / "trained.toml").write_text(RECIPE)
    words = ["net.keras", "--data", "data.npz", "-t", "android-nnapi", "--recipe", "trained.toml"]
    everywhere = os.sched_getaffinity(0)

    found = []
    runs = (("one", ONE, {min(everywhere)}), ("all of them, in a longer folder", OTHER, everywhere))
    for name, environment, processors in runs:
        folder = tmp_path / name
        folder.mkdir()
        for file in ("net.keras", "data.npz", "trained.toml"):
            (folder / file).symlink_to(tmp_path / file)
        found.append(built(folder, environment, words, preexec_fn=partial(os.sched_setaffinity, 0, processors)))
    first, second = found

    report = json.loads(first["android-nnapi/report.json"])
    assert report["versions"]["threads of tensorflow"] == "4 in an operator, 2 operators at once"
    assert [name for name in first if name.endswith(".tflite") and first[name] != second[name]] == []
    assert sum(name.endswith(".tflite") for name in first) > 0
