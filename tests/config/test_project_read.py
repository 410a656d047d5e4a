"""Project files, whole: what they come to, and what is said about those that say something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.config.project import read_project
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Accuracy, Budget, DataSpec, Preprocess
from edgecompile.core.recipe import Recipe, Step

WHOLE = """
[project]
model   = "kws.keras"
custom  = "layers.py"
targets = ["nucleo-l4r5zi", "coral", "coral"]
output  = "out"
seed    = 3
numerics = "int16x8"
io_dtype = "int16"
calibration = "mse"

[data]
source     = "kws.npz"
labels     = "labels.txt"
validation = 0.25
test = 0.5
calibration_samples = 100
target_column = 4
[data.preprocess]
scale  = 0.0078125
offset = [-1.0, -2]
resize = [96, 64]
color = "grayscale"
sample_rate = 16000
length = 8000

[accuracy]
metric   = "top1"
max_drop = 0.01

[budget]
flash = "128 KiB"
ram   = 32768

[recipe]
steps = [{ pass = "prune", pattern = "block2x2", sparsity = 0.5 }, { pass = "quantize" }]
"""


def written(folder: Path, text: str) -> Path:
    """A project file with that text."""
    path = folder / "edgecompile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a project file."""
    with pytest.raises(BadInputError) as caught:
        read_project(written(folder, text))
    return caught.value.diagnostics


def test_a_whole_file_sets_every_setting(tmp_path: Path) -> None:
    project = read_project(written(tmp_path, WHOLE))

    assert project.model == str(tmp_path / "kws.keras")
    assert project.custom == str(tmp_path / "layers.py")
    assert project.targets == ("nucleo-l4r5zi", "coral")
    assert (project.base, project.output, project.seed) == (tmp_path, tmp_path / "out", 3)
    assert (project.numerics, project.io_dtype, project.calibration) == ("int16x8", "int16", "mse")
    assert project.data == DataSpec(
        source=str(tmp_path / "kws.npz"),
        labels=str(tmp_path / "labels.txt"),
        validation=0.25,
        test=0.5,
        calibration_samples=100,
        target_column="4",
        preprocess=Preprocess(
            scale=(0.0078125,),
            offset=(-1.0, -2.0),
            resize=(96, 64),
            color="grayscale",
            sample_rate=16000,
            length=8000,
        ),
    )
    assert project.accuracy == Accuracy(metric="top1", max_drop=0.01)
    assert project.budget == Budget(flash_bytes=131072, ram_bytes=32768)
    assert project.recipe == Recipe(
        name="inline",
        steps=(Step(name="prune", options={"pattern": "block2x2", "sparsity": 0.5}), Step(name="quantize")),
    )


def test_an_empty_file_leaves_what_is_built_in(tmp_path: Path) -> None:
    project = read_project(written(tmp_path, ""))

    assert (project.model, project.targets, project.numerics, project.seed) == ("", (), None, 0)
    assert project.output == tmp_path / "build"
    assert project.data == DataSpec()
    assert project.recipe == Recipe(name="none")
    assert set(project.origins.values()) == {"built-in", "profile"}


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        pytest.param("kws.keras", "{base}/kws.keras", id="relative"),
        pytest.param("../kws.keras", "{base}/../kws.keras", id="beside"),
        pytest.param("/models/kws.keras", "/models/kws.keras", id="absolute"),
        pytest.param("train.py:make_model", "{base}/train.py:make_model", id="function-in-file"),
        pytest.param("package.train:make", "package.train:make", id="function-in-module"),
    ],
)
def test_names_start_at_the_files_folder(tmp_path: Path, model: str, answer: str) -> None:
    project = read_project(written(tmp_path, f'[project]\nmodel = "{model}"\n[data]\nsource = "{model}"\n'))

    assert project.model == answer.format(base=tmp_path)
    assert project.data.source == project.model


@pytest.mark.parametrize(
    ("text", "code", "place", "help_word"),
    [
        pytest.param("[projct]", "EC123", "`projct`", "`project`", id="table"),
        pytest.param("[project]\ntargts = []", "EC123", "[project] `targts`", "`targets`", id="key"),
        pytest.param("[project]\nflash = 1", "EC123", "[project] `flash`", "[budget]", id="key-of-another-table"),
        pytest.param("[project]\ntrust = true", "EC123", "[project] `trust`", "", id="trust-is-for-flags"),
        pytest.param("[data.preproces]", "EC123", "[data] `preproces`", "`preprocess`", id="sub-table"),
        pytest.param("[data.preprocess]\nscal = 1", "EC123", "[data.preprocess] `scal`", "`scale`", id="deep-key"),
        pytest.param("project = 3", "EC124", "`project`", "", id="number-for-table"),
        pytest.param("[data]\npreprocess = 3", "EC124", "[data] `preprocess`", "", id="number-for-sub-table"),
        pytest.param("[project]\ntargets = 'coral'", "EC124", "[project] `targets`", "", id="text-for-list"),
        pytest.param("[budget]\nflash = 'much'", "EC124", "[budget] `flash`", "", id="size"),
        pytest.param("[project]\ninput_shape = ['96,96,3']", "EC124", "[project] `input_shape`", "", id="shape"),
        pytest.param("[project]\ninput_shape = ['1x9999999999']", "EC124", "[project] `input_shape`", "", id="huge"),
        pytest.param("[data]\nvalidation = 1.5", "EC125", "[data] `validation`", "", id="share"),
        pytest.param("[data]\ncalibration_samples = 0", "EC125", "[data] `calibration_samples`", "", id="count"),
        pytest.param("[project]\nnumerics = 'int7'", "EC125", "[project] `numerics`", "`int8`", id="numerics"),
        pytest.param("[project]\nseed = 4294967296", "EC125", "[project] `seed`", "", id="seed"),
        pytest.param("[accuracy]\nmetric = 'top2'", "EC125", "[accuracy] `metric`", "`top1`", id="metric"),
        pytest.param("[accuracy]\nmax_drop = -0.1", "EC125", "[accuracy] `max_drop`", "", id="drop"),
        pytest.param("[recipe]\nsteps = [{ sparsity = 0.5 }]", "EC126", "[recipe.steps.0] `pass`", "pass", id="step"),
        pytest.param("[project]\nrecipe = 'nonne'", "EC128", "[project] `recipe`", "`none`", id="recipe"),
        pytest.param("schema = 99", "EC130", "`schema`", "", id="format"),
        pytest.param("[project]\nrecipe = 'none'\n[recipe]", "EC133", "[project] `recipe`", "", id="two-recipes"),
        pytest.param("[project", "EC122", "line 1", "", id="syntax"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, code: str, place: str, help_word: str) -> None:
    (problem,) = problems(tmp_path, text)

    assert problem.code == code
    assert place in str(problem.location)
    assert help_word in "".join(problem.help)


def test_everything_wrong_in_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = "[project]\nsead = 1\n[data]\nvalidation = 2\n[budget]\nram = 'x'\n[accuracy]\nmetric = 'x'\n"

    assert sorted(problem.code for problem in problems(tmp_path, text)) == ["EC123", "EC124", "EC125", "EC125"]
