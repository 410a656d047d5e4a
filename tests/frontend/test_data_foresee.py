"""What is wrong with data is told before the model is loaded, where the data or the model's file say it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.cli.main import main
from edgecompile.core.errors import BadInputError
from edgecompile.frontend.data_foresee import foresee
from edgecompile.frontend.data_set import DataSet, Split
from edgecompile.frontend.output_foresee import output_in
from edgecompile.frontend.source import open_model

INPUT = {"class_name": "InputLayer", "config": {"name": "in"}}
HEAD = {"class_name": "Dense", "name": "head", "registered_name": None, "config": {"name": "head", "units": 3}}
SOFTMAX = {"class_name": "Softmax", "config": {"name": "soft"}}
LABELS = np.arange(12) % 3


def sequential(*layers: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [INPUT, *layers]}}


def functional(ends: Any, *layers: Any) -> dict[str, Any]:
    return {"class_name": "Functional", "config": {"layers": [INPUT, *layers], "output_layers": ends}}


def archive(folder: Path, config: Any) -> Path:
    with zipfile.ZipFile(folder / "m.keras", "w") as written:
        written.writestr("config.json", json.dumps(config))
    return folder / "m.keras"


def data_of(y: Any, x: Any = None) -> DataSet:
    xs = (np.zeros((12, 4), "float32") if x is None else x,)
    return DataSet(source="d.npz", kind="npz", train=Split(x=xs, y=(y,)), test=Split(x=xs, y=(y,)))


@pytest.mark.parametrize(
    ("config", "values"),
    [
        pytest.param(sequential(HEAD), 3, id="sequential"),
        pytest.param(sequential(HEAD, SOFTMAX), 3, id="softmax-behind"),
        pytest.param(functional(["head", 0, 0], HEAD), 3, id="keras-3"),
        pytest.param(functional([["head", 0, 0]], HEAD), 3, id="keras-2"),
        pytest.param(functional([["head", 0, 0], ["in", 0, 0]], HEAD), None, id="two-outputs"),
        pytest.param(functional({"a": ["head", 0, 0]}, HEAD), None, id="named-outputs"),
        pytest.param(functional(["soft", 0, 0], HEAD, SOFTMAX), None, id="another-layer"),
        pytest.param(sequential({**HEAD, "registered_name": "mine>Dense"}), None, id="a-layer-of-the-users"),
        pytest.param(sequential({**HEAD, "config": {"units": 1}}), 1, id="one-value"),
        pytest.param(sequential({**HEAD, "config": {"units": "3"}}), None, id="no-number"),
        pytest.param(sequential(), None, id="no-layer"),
        pytest.param({"class_name": "Sequential", "config": [1]}, None, id="no-table"),
        pytest.param([], None, id="a-list"),
    ],
)
def test_a_models_file_tells_how_many_values_its_output_has(config: Any, values: int | None) -> None:
    found = output_in(config)

    assert (found.classes if found else None) == values


@pytest.mark.parametrize(
    ("layer", "behind", "is_flat", "activation"),
    [
        pytest.param({"build_config": {"input_shape": [None, 16]}}, (), True, "softmax", id="a-row"),
        pytest.param({"build_config": {"input_shape": [None, 9, 16]}}, (), False, "softmax", id="a-sequence"),
        pytest.param({"build_config": {"shapes": [None, 16]}}, (), False, "softmax", id="not-said"),
        pytest.param({"build_config": {"input_shape": [None, 16]}}, (SOFTMAX,), True, "", id="a-layer-behind"),
    ],
)
def test_a_models_file_tells_what_its_output_is(layer: Any, behind: Any, is_flat: bool, activation: str) -> None:
    config = {**HEAD["config"], "activation": "softmax"}  # type: ignore[dict-item]

    found = output_in(sequential({**HEAD, "config": config, **layer}, *behind))

    assert found is not None
    assert (found.is_flat, found.activation) == (is_flat, activation)


@pytest.mark.parametrize(
    ("y", "code", "note"),
    [
        pytest.param(np.where(LABELS == 2, np.nan, LABELS), "EC268", "y_train: 4 of 12 values", id="nan"),
        pytest.param(np.where(np.arange(12) == 7, 5, LABELS), "EC269", "found 5 in 1 place, first at [7]", id="above"),
        pytest.param(np.where(np.arange(12) < 2, -1, LABELS), "EC269", "found -1 in 2 places", id="negative"),
    ],
)
def test_labels_are_told_without_loading_the_model(tmp_path: Path, y: Any, code: str, note: str) -> None:
    source = open_model("m.keras", archive(tmp_path, sequential(HEAD)).parent)

    with pytest.raises(BadInputError, match=code) as caught:
        foresee(data_of(y), source)

    assert any(note in one for one in caught.value.diagnostics[0].notes)


@pytest.mark.parametrize(
    ("config", "y"),
    [
        pytest.param(sequential(HEAD), LABELS, id="classes"),
        pytest.param(sequential(HEAD), np.eye(3)[LABELS] * 2 - 1, id="targets"),
        pytest.param(sequential({**HEAD, "config": {"units": 1}}), -5 * LABELS, id="one-value"),
        pytest.param({"class_name": "Mine", "config": {}}, -5 * LABELS, id="nobody-knows"),
    ],
)
def test_what_may_be_right_is_left_to_the_loaded_model(tmp_path: Path, config: Any, y: Any) -> None:
    foresee(data_of(y), open_model("m.keras", archive(tmp_path, config).parent))


def test_infinity_in_samples_is_told_with_the_first_place(tmp_path: Path) -> None:
    x = np.zeros((12, 4), "float32")
    x[3, 2] = np.inf

    with pytest.raises(BadInputError, match="EC268") as caught:
        foresee(data_of(LABELS, x), open_model("m.keras", archive(tmp_path, sequential(HEAD)).parent))

    assert caught.value.diagnostics[0].notes[0] == "x_train: 1 of 48 values, the first (inf) at [3, 2]"


def test_a_build_starts_no_process_for_data_that_will_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edgecompile.libs.child.call", lambda *_, **__: pytest.fail("a process was started"))
    archive(tmp_path, sequential(HEAD))
    x = np.zeros((12, 4), "float32")
    np.savez("d.npz", x_train=x, y_train=LABELS + 1, x_test=x, y_test=LABELS)

    exit_code = main(["build", "m.keras", "-t", "cortex-m4", "--data", "d.npz", "--no-cache", "-o", "out"])

    assert exit_code == 2
    assert "error[EC269]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
