"""Recipes: the shipped ones by name, a file, or steps written in the project file."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.config.table import Key, check_table, check_value, demand, place
from edgecompile.config.toml import read_toml
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.recipe import CALIBRATIONS, NUMERICS, Recipe, Step

SCHEMA = 1
# Instead of a recipe's name: the one that the profiles of the targets name for the data that there are.
AUTO = "auto"

_KEYS = {
    "name": Key(kind="text"),
    "about": Key(kind="text"),
    "steps": Key(kind="tables"),
    "numerics": Key(kind="text", choices=NUMERICS),
    "calibration": Key(kind="text", choices=CALIBRATIONS),
}
_STEP = {"pass": Key(kind="text", required=True)}


def read_recipe(value: str, base: Path, asked_in: Location | None = None) -> Recipe:
    """A shipped recipe by name, or the file of that name (``.toml``, or anything with a ``/``) relative to ``base``.

    ``AUTO`` is a recipe without steps that stands in for another, which profiles name.
    Raises BadInputError: EC128 for an unknown name, EC120 to EC126 and EC130 for what is wrong in the file.
    """
    known = shipped()
    if value == AUTO:
        return Recipe(name=AUTO)
    if value in known:
        return replace(_read(known[value]), file=None)
    if value.endswith(".toml") or "/" in value:
        return _read(base / Path(value).expanduser())
    raise bad_input(
        "EC128",
        f"there is no recipe `{value}`",
        asked_in,
        notes=(
            f"shipped recipes: {', '.join(f'`{name}`' for name in known)}; `{AUTO}`: what the target's profile names",
        ),
        help=did_you_mean(value, (*known, AUTO)) or ("a recipe file is named with its ending, as in `small.toml`",),
    )


def shipped() -> Mapping[str, Path]:
    """The files of the recipes that come along, by name."""
    folder = Path(str(importlib.resources.files("edgecompile") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def about(path: Path) -> str:
    """What a shipped recipe is for, in a sentence."""
    return str(read_toml(path).get("about", ""))


def _read(path: Path) -> Recipe:
    plain = read_toml(path)
    check_schema(plain, SCHEMA, str(path))
    keys = {key: value for key, value in plain.items() if key != "schema"}
    if isinstance(keys.get("recipe"), Mapping):
        raise _of_a_project(path)
    return from_table(keys, file=str(path), table="", name=path.stem)


def _of_a_project(path: Path) -> EdgecompileError:
    return bad_input(
        "EC123",
        "the top of the file has no key `recipe`",
        place(str(path), "", "recipe"),
        notes=("[recipe] is a table of project files; in a recipe's own file its keys stand at the top",),
        help=("take the line `[recipe]` out",),
    )


def from_table(plain: Mapping[str, Any], *, file: str, table: str, name: str) -> Recipe:
    """The recipe that a table holds: ``steps``, ``numerics``, ``calibration``, and ``name`` (else as given).

    A step is a table with ``pass`` and the options of that pass. Raises BadInputError EC123 to EC126.
    """
    demand(*check_table(plain, _KEYS, file=file, table=table))
    steps = plain.get("steps", [])
    demand(*(problem for index, step in enumerate(steps) for problem in _check_step(step, index, file, table)))
    return Recipe(
        name=plain.get("name", name),
        steps=tuple(Step(name=step["pass"], options=_options(step)) for step in steps),
        numerics=plain.get("numerics"),
        calibration=plain.get("calibration", CALIBRATIONS[0]),
        file=file,
    )


def check_steps(recipe: Recipe, known: Iterable[str], where: Location | None = None) -> tuple[Diagnostic, ...]:
    """EC129 for each step whose pass is not among the ``known`` names."""
    names = sorted(known)
    listed = f"the passes are {', '.join(f'`{name}`' for name in names)}" if names else "no pass is installed"
    return tuple(
        Diagnostic(
            code="EC129",
            message=f"there is no compression pass `{step.name}`",
            location=where or recipe.place(index),
            notes=(listed,),
            help=did_you_mean(step.name, names) or ("`edgecompile passes` lists them with their options",),
        )
        for index, step in enumerate(recipe.steps)
        if step.name not in names
    )


def check_schema(plain: Mapping[str, Any], supported: int, file: str) -> None:
    """Refuse a file of another format number by name. Raises BadInputError EC130."""
    found = plain.get("schema", supported)
    demand(*check_value(found, Key(kind="integer"), place(file, "", "schema"), "`schema`"))
    if found != supported:
        raise bad_input(
            "EC130",
            f"`{file}` is written in format {found}",
            place(file, "", "schema"),
            notes=(f"limit: this version reads format {supported}", f"found: {found}"),
            help=("use the version of edgecompile that the file was written for, or rewrite the file",),
        )


def _check_step(step: Mapping[str, Any], index: int, file: str, table: str) -> tuple[Diagnostic, ...]:
    inside = f"{table + '.' if table else ''}steps.{index}"
    return check_table(step, _STEP, file=file, table=inside, others=Key(kind="any"))


def _options(step: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key != "pass"}
