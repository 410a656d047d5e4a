"""Shipped recipes: each is sound, and keeps what it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile.compress import recipe_check
from edgecompile.compress.contract import passes
from edgecompile.config.recipes import check_steps, read_recipe, shipped

NAMES = (
    "none", "int8", "int16x8", "float16", "small", "tiny", "sparse", "shared-weights", "low-rank", "distilled",
    "filled",
)  # fmt: skip


def test_the_recipes_that_people_are_told_of_are_there() -> None:
    assert sorted(shipped()) == sorted(NAMES)


@pytest.mark.parametrize("name", shipped())
def test_every_step_of_a_shipped_recipe_is_sound(name: str) -> None:
    recipe = read_recipe(name, Path())

    assert check_steps(recipe, passes()) == ()
    assert recipe_check.check(recipe) == ()
    if recipe.numerics is not None:
        assert recipe_check.check_numerics(recipe, recipe.numerics) == ()
