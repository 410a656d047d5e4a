"""Shipped recipes: each is sound, and keeps what it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecompile import compressing
from edgecompile.compress import recipe_check
from edgecompile.compress.contract import passes
from edgecompile.config.profiles import load
from edgecompile.config.recipes import check_steps, read_recipe, shipped
from edgecompile.core.errors import BadInputError
from edgecompile.core.project import Project
from edgecompile.core.recipe import Recipe, Step
from edgecompile.frontend.source import ModelSource

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


@pytest.mark.parametrize(
    "target, numerics, recipe, names",
    [
        ("coral", "int8", "shared-weights", ["`cluster`"]),
        ("coral", "int8", "small", ["`prune`", "`cluster`"]),
        ("android-nnapi", "int8", "sparse", ["`prune`"]),
        ("coral", "int8", "int8", []),
        ("coral", "int8", "low-rank", []),
        # XNNPACK reads weights without their zeros, in floats.
        ("android-cpu", "float32", "sparse", []),
        ("android-cpu", "float32", "small", ["`cluster`"]),
        ("android-cpu", "int8", "sparse", ["`prune`"]),
        ("cortex-m4", "int8", "small", []),
        # Vela packs weights itself.
        ("ethos-u55-256", "int8", "shared-weights", []),
    ],
)
def test_a_runtime_that_stores_every_weight_is_told_of(
    target: str, numerics: str, recipe: str, names: list[str]
) -> None:
    rows = [{"stored_bytes": {target: 100 * 1024}, "gzip_bytes": size * 1024} for size in (90, 40)]

    told = compressing._dense(load(target), numerics, read_recipe(recipe, Path()), rows)

    assert [one.code for one in told] == ["EC356"] * bool(names)
    for one in told:
        assert one.message.endswith(f"{' and '.join(names)} saved it nothing but download size")
        assert one.notes[:2] == (
            "weights as stored: 100.0 KiB before the recipe, 100.0 KiB after it",
            "as a download (gzip): 90.0 KiB before, 40.0 KiB after",
        )


def test_a_teacher_that_is_not_there_is_told_before_anything_trains(tmp_path: Path) -> None:
    (tmp_path / "large.keras").write_bytes(b"PK\x03\x04")
    steps = (Step(name="finetune", options={"epochs": 50}), Step(name="distill", options={"teacher": "larg.keras"}))
    recipe = Recipe(name="mine", steps=steps)
    project = Project(model="m.h5", base=tmp_path, targets=(), output=tmp_path, recipe=recipe)
    source = ModelSource(name="m.h5", kind="h5", path=None, entry=None, sha256="", size_bytes=0)

    with pytest.raises(BadInputError, match="EC200") as caught:
        compressing.request(project, source, [], [], None)

    told = caught.value.diagnostics[0]
    assert told.location is not None and told.location.detail == "recipe `mine`, step 2, `teacher`"
    assert told.help[0] == "did you mean `large.keras`?"
