"""Flag beats environment beats file beats built-in, and the result says which it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgecompile.compress.recipe_check import steps_of
from edgecompile.config import profiles
from edgecompile.config.project import merge, read_project, with_profiles_recipe
from edgecompile.config.recipes import read_recipe
from edgecompile.config.settings import SETTINGS, keys_of, put, variable
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Project

NEEDED = {"model": "m.keras", "targets": ("coral",)}
AUTO_WITH_DATA = {"recipe": "auto", "data.source": "d.npz"}


def from_file(folder: Path, text: str) -> Project:
    """A project read from that text."""
    path = folder / "edgecompile.toml"
    path.write_text(f'[project]\nmodel = "m.keras"\ntargets = ["coral"]\n{text}', encoding="utf-8")
    return read_project(path)


def problems(flags: dict[str, Any], environment: dict[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong with a request."""
    with pytest.raises(BadInputError) as caught:
        merge(None, flags, environment)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("file", "environment", "flags", "seed", "origin"),
    [
        pytest.param("", {}, {}, 0, "built-in", id="built-in"),
        pytest.param("seed = 1", {}, {}, 1, "file edgecompile.toml", id="file"),
        pytest.param("seed = 1", {"EDGECOMPILE_SEED": "2"}, {}, 2, "environment EDGECOMPILE_SEED", id="environment"),
        pytest.param("seed = 1", {"EDGECOMPILE_SEED": ""}, {}, 1, "file edgecompile.toml", id="empty-environment"),
        pytest.param("seed = 1", {"EDGECOMPILE_SEED": "2"}, {"seed": 3}, 3, "flag", id="flag"),
        pytest.param("seed = 1", {}, {"seed": None}, 1, "file edgecompile.toml", id="flag-not-given"),
        pytest.param("seed = 1", {}, {"seed": 0}, 0, "flag", id="flag-with-the-built-in-value"),
    ],
)
def test_the_first_that_speaks_counts(
    tmp_path: Path, file: str, environment: dict[str, str], flags: dict[str, Any], seed: int, origin: str
) -> None:
    merged = merge(from_file(tmp_path, file), flags, environment)

    assert (merged.seed, merged.origins["seed"]) == (seed, origin)
    assert merged.recipe.seed == seed


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("targets", "coral, cortex-m4", ("coral", "cortex-m4"), id="list"),
        pytest.param("data.validation", "0.25", 0.25, id="share"),
        pytest.param("data.calibration_samples", "64", 64, id="count"),
        pytest.param("data.preprocess.scale", "0.5,0.25", (0.5, 0.25), id="numbers"),
        pytest.param("data.preprocess.resize", "96,64", (96, 64), id="integers"),
        pytest.param("data.target_column", "-1", "-1", id="text-or-integer"),
        pytest.param("budget.flash", "64 KiB", 65536, id="size"),
        pytest.param("accuracy.max_drop", "0.02", 0.02, id="number"),
        pytest.param("numerics", "float16", "float16", id="choice"),
        pytest.param("input_shape", "picture=96x64x3, 12", ("picture=96x64x3", "12"), id="shapes"),
    ],
)
def test_texts_of_the_environment_and_of_flags_are_read_alike(name: str, text: str, value: object) -> None:
    by_variable = merge(None, NEEDED if name != "targets" else {"model": "m"}, {variable(name): text})
    by_flag = merge(None, {**NEEDED, name: text}, {})

    for merged in (by_variable, by_flag):
        found: Any = merged
        for part in SETTINGS[name].field:
            found = getattr(found, part)
        assert found == value


def test_names_of_flags_start_at_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "project"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)

    merged = merge(from_file(elsewhere, ""), {"output": "here", "data.source": "d.npz"}, {})

    assert merged.model == str(elsewhere / "m.keras")
    assert (merged.output, merged.data.source) == (tmp_path / "here", str(tmp_path / "d.npz"))


def test_the_recipes_numerics_count_where_nobody_else_gave_them(tmp_path: Path) -> None:
    project = from_file(tmp_path, '[recipe]\nname = "mine"\nnumerics = "float16"\ncalibration = "mse"\n')

    alone, overridden = merge(project, {}, {}), merge(project, {"numerics": "int8", "calibration": "minmax"}, {})

    assert (alone.numerics, alone.recipe.numerics, alone.origins["numerics"]) == ("float16", "float16", "recipe mine")
    assert (alone.calibration, alone.recipe.calibration) == ("mse", "mse")
    assert (overridden.numerics, overridden.recipe.numerics) == ("int8", "int8")
    assert (overridden.calibration, overridden.recipe.calibration) == ("minmax", "minmax")


def test_numerics_that_nobody_gives_are_left_to_the_profile() -> None:
    merged = merge(None, NEEDED, {})

    assert (merged.numerics, merged.io_dtype, merged.origins["numerics"]) == (None, None, "profile")


def test_every_setting_has_an_origin() -> None:
    assert set(merge(None, NEEDED, {}).origins) == set(SETTINGS)


def test_trust_comes_from_a_flag_alone() -> None:
    environment = {"EDGECOMPILE_TRUST": "true", "EDGECOMPILE_RANDOM_CALIBRATION": "true"}

    assert not merge(None, NEEDED, environment).trust
    assert not merge(None, NEEDED, environment).random_calibration
    assert merge(None, {**NEEDED, "trust": True}, {}).trust


def test_variables_that_are_no_settings_are_left_alone() -> None:
    assert merge(None, NEEDED, {"EDGECOMPILE_DATA": "/data", "PATH": "/bin"}).data.source is None


@pytest.mark.parametrize(
    ("flags", "environment", "code", "place"),
    [
        pytest.param({}, {}, "EC131", "", id="no-model"),
        pytest.param({"model": "m.keras"}, {}, "EC132", "", id="no-target"),
        pytest.param(NEEDED, {"EDGECOMPILE_SEED": "x"}, "EC124", "environment, EDGECOMPILE_SEED", id="type"),
        pytest.param({**NEEDED, "seed": "-1"}, {}, "EC125", "command line, `seed`", id="range"),
        pytest.param({**NEEDED, "numerics": "int7"}, {}, "EC125", "command line, `numerics`", id="choice"),
        pytest.param({**NEEDED, "accuracy.metric": "top"}, {}, "EC125", "command line, `accuracy.metric`", id="metric"),
        pytest.param({**NEEDED, "recipe": "smal"}, {}, "EC128", "command line, `recipe`", id="recipe"),
        pytest.param({**NEEDED, "budget.ram": "lots"}, {}, "EC124", "command line, `budget.ram`", id="size"),
        pytest.param({**NEEDED, "input_shape": ("9x0",)}, {}, "EC124", "command line, `input_shape`", id="shape"),
    ],
)
def test_what_is_wrong_is_told_with_where_it_was_said(
    flags: dict[str, Any], environment: dict[str, str], code: str, place: str
) -> None:
    (problem,) = problems(flags, environment)

    assert problem.code == code
    assert str(problem.location or "") == place


def test_a_flag_that_is_no_setting_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="sead"):
        merge(None, {"sead": 1}, {})


def test_every_setting_of_a_file_is_in_exactly_one_table() -> None:
    tables = ("project", "data", "data.preprocess", "data.features", "accuracy", "budget", "compiler", "android")

    listed = [key for table in tables for key in keys_of(table)]

    assert len(listed) == len([name for name, setting in SETTINGS.items() if not setting.flag_only])
    assert len(set(listed)) == len(listed)


def test_putting_a_setting_changes_nothing_else(tmp_path: Path) -> None:
    project = from_file(tmp_path, "")

    changed = put(project, "data.preprocess.length", 8, tmp_path)

    assert changed.data.preprocess.length == 8
    assert put(changed, "data.preprocess.length", 1, tmp_path) == put(project, "data.preprocess.length", 1, tmp_path)


@pytest.mark.parametrize(
    ("flags", "targets", "recipe", "origin"),
    [
        pytest.param({}, ["coral"], "int8", "profile coral", id="profile"),
        pytest.param({"recipe": "small"}, ["coral"], "small", "flag", id="flag"),
        pytest.param({}, ["coral", "cortex-m4"], "none", "built-in", id="targets that differ"),
        pytest.param({}, ["coral", "android-nnapi"], "int8", "profile coral", id="targets that agree"),
        pytest.param({}, ["android-gpu"], "float16", "profile android-gpu", id="profile of floats"),
        pytest.param({}, ["nucleo-f446re"], "none", "built-in", id="profile without"),
        pytest.param({"numerics": "float32"}, ["coral"], "none", "built-in", id="other numerics"),
        pytest.param({"data.source": "d.npz"}, ["coral"], "int8", "profile coral", id="data train nothing unasked"),
        pytest.param({"recipe": "auto"}, ["coral"], "int8", "profile coral", id="auto without data"),
        pytest.param({"recipe": "auto"}, ["cortex-m4"], "none", "profile cortex-m4", id="auto of none"),
        pytest.param(AUTO_WITH_DATA, ["coral"], "distilled", "profile coral", id="auto of dense weights"),
        pytest.param(AUTO_WITH_DATA, ["cortex-m4"], "shared-weights", "profile cortex-m4", id="auto of packed weights"),
        pytest.param(AUTO_WITH_DATA, ["android-gpu"], "float16", "profile android-gpu", id="auto of floats"),
        pytest.param({**AUTO_WITH_DATA, "numerics": "float32"}, ["coral"], "none", "flag", id="auto, other numerics"),
    ],
)
def test_the_targets_recipe_is_taken_where_nobody_names_one(
    flags: dict[str, Any], targets: list[str], recipe: str, origin: str
) -> None:
    project = merge(None, {**NEEDED, **flags}, {})

    settled = with_profiles_recipe(project, [profiles.load(name) for name in targets])

    assert (settled.recipe.name, settled.origins["recipe"]) == (recipe, origin)


def test_recipes_of_shipped_profiles_come_along_and_train_nothing() -> None:
    named = {profiles.load(name).recipe for name in profiles.names()} - {None}

    assert named == {"int8", "float16"}
    assert all(read_recipe(name, Path()).steps == () for name in named)


def test_targets_that_name_unlike_recipes_cannot_share_one_that_is_left_to_them() -> None:
    project = merge(None, {**NEEDED, **AUTO_WITH_DATA}, {})

    with pytest.raises(BadInputError) as caught:
        with_profiles_recipe(project, [profiles.load(name) for name in ("coral", "cortex-m4")])

    assert [said.code for said in caught.value.diagnostics] == ["EC137"]
    assert caught.value.diagnostics[0].notes == ("`coral`: `distilled`", "`cortex-m4`: `shared-weights`")


@pytest.mark.parametrize("name", profiles.names())
def test_a_profile_that_stores_every_weight_names_no_recipe_that_shares_or_drops_some(name: str) -> None:
    target = profiles.load(name)
    if "weights" not in target.sources:
        return

    recipes = [read_recipe(recipe, Path()) for recipe in (target.recipe, target.trained_recipe) if recipe]

    assert recipes
    assert not {"sharing", "sparsity"} & {made for recipe in recipes for one in steps_of(recipe) for made in one.makes}
