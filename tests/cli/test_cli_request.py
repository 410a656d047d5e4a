"""How flags, environment and project file become one request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgecompile.cli.request import project_of
from edgecompile.core.errors import BadInputError

FILE = """
[project]
model = "kws.keras"
targets = ["coral"]
seed = 3

[accuracy]
metric = "mse"
max_drop = 0.5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgecompile.toml").write_text(FILE)
    return tmp_path


def test_the_project_file_of_the_folder_is_read_unasked(folder: Path) -> None:
    project = project_of({"model": None, "targets": ()}, None)

    assert project.model == str(folder / "kws.keras")
    assert project.targets == ("coral",)


def test_a_flag_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECOMPILE_SEED", "4")

    assert project_of({}, None).seed == 4
    assert project_of({"seed": 5}, None).seed == 5


def test_flags_reach_the_tables_of_the_project_file(folder: Path) -> None:
    flags = {"data": "kws.npz", "calibration_samples": 7, "flash": "1 KiB", "ram": "512", "metric": "top1"}

    project = project_of(flags, None)

    assert project.data.source == str(folder / "kws.npz")
    assert project.data.calibration_samples == 7
    assert (project.budget.flash_bytes, project.budget.ram_bytes) == (1024, 512)
    assert project.accuracy.metric == "top1"


@pytest.mark.parametrize(
    "flags, max_drop",
    [
        pytest.param({}, 0.5, id="the-file-is-in-the-metrics-unit"),
        pytest.param({"max_accuracy_drop": 1.0, "metric": "top1"}, 0.01, id="one-point-of-a-share"),
        pytest.param({"max_accuracy_drop": 1.0}, 1.0, id="an-error-as-it-is"),
        pytest.param({"max_accuracy_drop": 1.0, "metric": "score.py:f1"}, 1.0, id="a-score-of-the-user-as-it-is"),
    ],
)
def test_the_accuracy_drop_is_in_points_where_the_metric_is_a_share(flags: dict[str, Any], max_drop: float) -> None:
    assert project_of(flags, None).accuracy.max_drop == max_drop


@pytest.mark.parametrize(
    ("points", "found"), [(-1.0, "-1"), (200.0, "200"), (float("nan"), "nan"), (float("inf"), "inf")]
)
def test_a_drop_that_cannot_be_is_told_in_the_points_that_were_typed(points: float, found: str) -> None:
    with pytest.raises(BadInputError) as caught:
        project_of({"max_accuracy_drop": points, "metric": "top1"}, None)

    (problem,) = caught.value.diagnostics
    assert (problem.code, str(problem.location)) == ("EC125", "command line, `--max-accuracy-drop`")
    assert problem.notes == ("limit: 0 to 100 points, 1 point being 0.01 of the score", f"found: {found}")
    assert problem.help[0].endswith("as in `--max-accuracy-drop 1`")


def test_an_error_may_grow_by_more_than_a_hundred_and_by_no_less_than_nothing() -> None:
    assert project_of({"max_accuracy_drop": 200.0}, None).accuracy.max_drop == 200.0

    with pytest.raises(BadInputError) as caught:
        project_of({"max_accuracy_drop": -1.0}, None)

    assert caught.value.diagnostics[0].notes == ("limit: 0 or more, as `mse` counts", "found: -1")


def test_a_share_in_the_file_is_no_more_than_one(folder: Path) -> None:
    (folder / "edgecompile.toml").write_text(FILE.replace("mse", "auc").replace("0.5", "2"))

    with pytest.raises(BadInputError) as caught:
        project_of({}, None)

    (problem,) = caught.value.diagnostics
    assert (problem.code, str(problem.location)) == ("EC125", "file edgecompile.toml, [accuracy] `max_drop`")
    assert problem.help == ("for 2 points say `max_drop = 0.02`",)


@pytest.mark.parametrize(
    ("flags", "flag"),
    [
        pytest.param({"flash": "lots"}, "--flash", id="of-a-table"),
        pytest.param({"calibration_samples": 0}, "--calibration-samples", id="of-two-words"),
        pytest.param({"input_shape": ("9x0",)}, "--input-shape", id="of-none"),
        pytest.param({"metric": "top9"}, "--metric", id="metric"),
    ],
)
def test_what_is_wrong_with_a_flag_is_told_by_the_name_that_was_typed(flags: dict[str, Any], flag: str) -> None:
    with pytest.raises(BadInputError) as caught:
        project_of(flags, None)

    assert str(caught.value.diagnostics[0].location) == f"command line, `{flag}`"


def test_another_project_file_is_read_when_it_is_named(folder: Path) -> None:
    (folder / "other.toml").write_text('[project]\nmodel = "other.keras"\ntargets = ["coral"]\n')

    assert project_of({}, "other.toml").model == str(folder / "other.keras")


@pytest.mark.parametrize(
    ("flags", "flag"),
    [
        pytest.param({"model": ""}, "MODEL", id="model"),
        pytest.param({"data": " "}, "--data", id="data"),
        pytest.param({"output": ""}, "--output", id="output"),
        pytest.param({"custom": ""}, "--custom", id="custom"),
    ],
)
def test_a_name_without_a_letter_is_not_the_working_folder(flags: dict[str, Any], flag: str) -> None:
    with pytest.raises(BadInputError) as caught:
        project_of(flags, None)

    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.message) == ("EC125", f"`{flag}` is empty")
    assert "variable" in problem.help[0]


def test_a_name_without_a_letter_in_the_file_is_told_with_its_key(folder: Path) -> None:
    (folder / "edgecompile.toml").write_text('[project]\nmodel = ""\n[data]\nsource = ""\n')

    with pytest.raises(BadInputError) as caught:
        project_of({}, None)

    places = [str(one.location) for one in caught.value.diagnostics]
    assert places == ["edgecompile.toml, [project] `model`", "edgecompile.toml, [data] `source`"]
