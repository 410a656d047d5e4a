"""Recipes by name, from a file and from a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.config.recipes import about, check_steps, read_recipe, shipped
from edgecompile.core.errors import BadInputError
from edgecompile.core.recipe import Recipe, Step


def test_the_shipped_recipe_keeps_the_weights_as_they_are() -> None:
    assert read_recipe("none", Path()) == Recipe(name="none")


@pytest.mark.parametrize("name", shipped())
def test_each_shipped_recipe_says_what_it_is_for(name: str) -> None:
    recipe = read_recipe(name, Path())

    assert recipe.name == name
    assert 20 < len(about(shipped()[name])) < 120


def test_a_file_is_read_relative_to_its_base(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text('schema = 1\nnumerics = "int8"\nsteps = [{ pass = "cluster", k = 16 }]\n')

    recipe = read_recipe("small.toml", tmp_path)

    assert recipe == Recipe(name="small", numerics="int8", steps=(Step(name="cluster", options={"k": 16}),))


def test_a_table_copied_from_a_project_file_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text('[recipe]\nsteps = [{ pass = "cluster", k = 16 }]\n')

    with pytest.raises(BadInputError, match="EC123") as caught:
        read_recipe("small.toml", tmp_path)

    assert caught.value.diagnostics[0].help == ("take the line `[recipe]` out",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("step = []", "EC123", id="unknown-key"),
        pytest.param("steps = 3", "EC124", id="number-for-steps"),
        pytest.param("steps = ['prune']", "EC124", id="text-for-step"),
        pytest.param("steps = [{ pass = 3 }]", "EC124", id="number-for-pass"),
        pytest.param("numerics = 'int7'", "EC125", id="numerics"),
        pytest.param("steps = [{ k = 16 }]", "EC126", id="step-without-pass"),
        pytest.param("schema = 2", "EC130", id="format"),
        pytest.param("schema = 'new'", "EC124", id="format-is-a-text"),
        pytest.param("steps = [", "EC122", id="syntax"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "r.toml").write_text(text)

    with pytest.raises(BadInputError) as caught:
        read_recipe("r.toml", tmp_path)

    assert [problem.code for problem in caught.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("name", "code"), [pytest.param("smal", "EC128", id="name"), pytest.param("./smal", "EC120", id="file")]
)
def test_a_recipe_that_is_not_there_is_told(tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_recipe(name, tmp_path)

    assert caught.value.diagnostics[0].code == code


def test_a_step_with_an_unknown_pass_is_told_with_the_near_name() -> None:
    recipe = Recipe(name="r", steps=(Step(name="prune"), Step(name="clutser")))

    (problem,) = check_steps(recipe, ("prune", "cluster"))

    assert problem.code == "EC129"
    assert str(problem.location) == "recipe `r`, step 2"
    assert problem.help == ("did you mean `cluster`?",)


def test_a_recipe_knows_the_file_that_the_user_wrote_it_in(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("steps = [{ pass = 'prune' }]")

    assert read_recipe("r.toml", tmp_path).file == str(tmp_path / "r.toml")
    assert read_recipe("small", tmp_path).file is None


def test_known_passes_have_nothing_wrong() -> None:
    assert check_steps(Recipe(steps=(Step(name="prune"),)), ("prune",)) == ()
