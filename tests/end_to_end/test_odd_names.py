"""Names of files that are no text are told, and break nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pipeline_networks import classifier

from edgecompile.cli.main import main
from edgecompile.core.naming import model_name
from edgecompile.ir.writer import write

NO_TEXT = os.fsdecode(b"d\xff")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        Path(f"{NO_TEXT}.tflite").write_bytes(write(classifier()))
    except OSError:
        pytest.skip("this file system takes text alone as names")
    np.savez(f"{NO_TEXT}.npz", x_test=np.ones((4, 8, 8, 3), np.float32), y_test=np.arange(4))


@pytest.mark.parametrize("target", ["android-cpu", "cortex-m4"])
def test_a_model_and_data_of_such_names_are_built_and_reported(target: str, tmp_path: Path) -> None:
    words = ["--data", f"{NO_TEXT}.npz", "--html", "page.html", "--depfile", "deps", "--no-cache"]

    code = main(["build", f"{NO_TEXT}.tflite", "-t", target, *words])

    place = tmp_path / "build" / target
    assert code == 0
    assert (place / "d_.tflite").is_file()
    assert NO_TEXT in json.loads((place / "report.json").read_text())["details"]["data"]["source"]
    assert b"d\xff.npz" in Path("deps").read_bytes()
    assert "<html" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("spec", "name"), [(f"{NO_TEXT}.tflite", "d_"), ("größe.keras", "größe"), ("a.b?.h5", "a_b?"), ("/", "model")]
)
def test_a_models_name_is_text(spec: str, name: str) -> None:
    assert model_name(spec) == name
