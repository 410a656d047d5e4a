"""The project file, and how it, flags and environment become one request.

Precedence: flag, then ``EDGECOMPILE_...`` variable, then file, then (for the recipe) the targets' profiles, then
built-in. ``numerics`` and ``io_dtype`` that nobody sets stay None, which leaves them to the target's profile.
``max_drop`` is in the metric's own unit: for top1, auc and miou a share, so 0.01 is one point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.config.recipes import AUTO, check_schema, from_table, read_recipe
from edgecompile.config.settings import METRICS, SETTINGS, SHARES, is_entry, keys_of, put, variable
from edgecompile.config.table import Key, check_table, check_value, demand, place
from edgecompile.config.toml import read_toml
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.project import Accuracy, Project
from edgecompile.core.target import Target

PROJECT_FILE = "edgecompile.toml"
SCHEMA = 1
BUILT_IN = "built-in"
PROFILE = "profile"

_TABLES = ("project", "data", "data.preprocess", "data.features", "accuracy", "budget", "compiler", "android")
_BELOW_DATA = ("preprocess", "features")
_TOP = {
    **dict.fromkeys(("project", "data", "accuracy", "budget", "compiler", "android", "recipe"), Key(kind="table")),
    "schema": Key(kind="any"),
}


def read_project(path: Path) -> Project:
    """The project file's settings over the built-in ones; ``model`` is empty and ``targets`` too where it names none.

    Relative names start at the file's folder. Raises BadInputError with everything wrong in it: EC120 to EC126, EC128,
    EC130, EC133.
    """
    plain, base, file = read_toml(path), path.absolute().parent, str(path)
    check_schema(plain, SCHEMA, file)
    values = _flattened(plain, file)
    project = _blank(base)
    origins = dict(project.origins)
    for name, value in values.items():
        if name != "recipe":
            project = put(project, name, value, base)
        origins[name] = f"file {path.name}"
    if "recipe" in plain:
        project = replace(project, recipe=from_table(plain["recipe"], file=file, table="recipe", name="inline"))
        origins["recipe"] = f"file {path.name}"
    elif "recipe" in values:
        named = read_recipe(values["recipe"], base, place(file, "project", "recipe"))
        project = replace(project, recipe=named)
    return replace(project, origins=origins)


def merge(project: Project | None, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Project:
    """One request of the project file's settings, ``flags`` and ``environment``, in their precedence.

    ``flags`` maps names of ``settings.SETTINGS`` to values or to texts of them; None means not
    given. Their relative names, and those in the environment, start at the working folder.
    ``origins`` of the result tells for every setting where it came from. Raises BadInputError: EC124, EC125
    and EC128 for values, EC131 when no model is named, EC132 when no target is.
    """
    here = Path.cwd()
    merged = project or _blank(here)
    origins = dict(merged.origins)
    given = {**_from_environment(environment), **_from_flags(flags)}
    demand(*(problem for name, (value, _, where) in given.items() for problem in _check(name, value, where)))
    for name, (value, origin, where) in given.items():
        origins[name] = origin
        if name == "recipe":
            merged = replace(merged, recipe=read_recipe(value, here, where))
        else:
            merged = put(merged, name, value, here)
    _demand_complete(merged)
    demand(*_share_beyond_all(merged.accuracy, str(origins.get("accuracy.max_drop", ""))))
    return _settled(replace(merged, origins=origins))


def with_profiles_recipe(project: Project, targets: Sequence[Target]) -> Project:
    """The project with the recipe that the profiles of all its targets name, where nobody else named one.

    Where the user asked for ``recipes.AUTO``, with data named that is the one that profiles name for training. Targets
    that do not agree leave the project as it is, or with AUTO are told (EC137); numerics of the user's that the recipe
    is not for leave it without one. Raises BadInputError EC128 for a profile that names no shipped recipe.
    """
    asked = project.recipe.name == AUTO and project.origins["recipe"] != BUILT_IN
    if not asked and project.origins["recipe"] != BUILT_IN:
        return project
    trained = asked and project.data.source is not None
    named = {target.id: (target.trained_recipe if trained else None) or target.recipe for target in targets}
    if asked and len(set(named.values())) > 1:
        raise _disagreed(named)
    name = next(iter(named.values())) if len(set(named.values())) == 1 else None
    if name is None and not asked:
        return project
    recipe = read_recipe(name or "none", Path(), Location(file=f"profile {targets[0].id}", detail="`recipe`"))
    if project.numerics is not None and recipe.numerics not in (None, project.numerics):
        return replace(project, recipe=read_recipe("none", Path())) if asked else project
    origins = {**project.origins, "recipe": f"profile {targets[0].id}"}
    return _settled(replace(project, recipe=recipe, origins=origins))


def _disagreed(named: Mapping[str, str | None]) -> EdgecompileError:
    return bad_input(
        "EC137",
        "the targets' profiles name different recipes",
        Location(detail="recipe = auto"),
        notes=tuple(f"`{target}`: {f'`{name}`' if name else 'none'}" for target, name in named.items()),
        help=("build for one target at a time", "or name a recipe for all of them"),
    )


def _blank(base: Path) -> Project:
    origins = {name: PROFILE if name in ("numerics", "io_dtype") else BUILT_IN for name in SETTINGS}
    return Project(model="", base=base, targets=(), output=base / "build", origins=origins)


def _settled(project: Project) -> Project:
    """Scheme, calibration and seed said once: the recipe's word counts where nobody else gave one."""
    recipe, origins = project.recipe, dict(project.origins)
    numerics, calibration = project.numerics, project.calibration
    if numerics is None and recipe.numerics is not None:
        numerics, origins["numerics"] = recipe.numerics, f"recipe {recipe.name}"
    if origins["calibration"] == BUILT_IN and recipe.calibration != calibration:
        calibration, origins["calibration"] = recipe.calibration, f"recipe {recipe.name}"
    recipe = replace(recipe, numerics=numerics, calibration=calibration, seed=project.seed)
    return replace(project, recipe=recipe, numerics=numerics, calibration=calibration, origins=origins)


def _flattened(plain: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Settings by name, all tables checked."""
    problems = list(check_table(plain, _TOP, file=file))
    values: dict[str, Any] = {}
    homes = {key: table for table in reversed(_TABLES) for key in keys_of(table)}
    for table in _TABLES:
        inside = _table(plain, table)
        keys = keys_of(table)
        if table == "data":
            keys |= dict.fromkeys(_BELOW_DATA, Key(kind="table"))
        problems += check_table(inside, keys, file=file, table=table, homes=homes)
        prefix = "" if table == "project" else f"{table}."
        values.update({prefix + key: value for key, value in inside.items() if key not in _BELOW_DATA})
    for name, value in values.items():
        table, _, key = name.rpartition(".")
        problems += _check_empty(value, name, place(file, table or "project", key))
    problems += _check_metric(values.get("accuracy.metric"), place(file, "accuracy", "metric"))
    demand(*problems)
    if "recipe" in plain and "recipe" in values:
        raise bad_input(
            "EC133",
            "the recipe is given twice",
            place(file, "project", "recipe"),
            notes=(f'[project] says `recipe = "{values["recipe"]}"`, and there is a table [recipe]',),
            help=("keep one of them",),
        )
    return values


def _table(plain: Mapping[str, Any], dotted: str) -> Mapping[str, Any]:
    inside: Any = plain
    for part in dotted.split("."):
        inside = inside.get(part, {})
        if not isinstance(inside, Mapping):
            return {}
    found: Mapping[str, Any] = inside
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str, Location]]:
    found = {}
    for name, setting in SETTINGS.items():
        text = environment.get(variable(name), "")
        if text and not setting.flag_only:
            place = Location(file="environment", detail=variable(name))
            found[name] = (_parsed(text, setting.key), f"environment {variable(name)}", place)
    return found


def _from_flags(flags: Mapping[str, Any]) -> dict[str, tuple[Any, str, Location]]:
    strangers = set(flags) - set(SETTINGS)
    if strangers:
        raise KeyError(f"no such settings: {sorted(strangers)}")
    place = {name: Location(file="command line", detail=f"`{name}`") for name in flags}
    return {
        name: (_parsed(value, SETTINGS[name].key), "flag", place[name])
        for name, value in flags.items()
        if value is not None and value != ()
    }


def _parsed(value: Any, key: Key) -> Any:
    """A text as the key's kind reads it; a text that does not fit stays one, to be told as such."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    try:
        if key.kind in ("texts", "shapes"):
            return parts
        if key.kind in ("integer", "integers"):
            return int(value) if key.kind == "integer" else [int(part) for part in parts]
        if key.kind in ("number", "number_or_numbers"):
            return float(value) if key.kind == "number" else [float(part) for part in parts]
    except ValueError:
        pass
    return value


def _check(name: str, value: Any, where: Location) -> tuple[Diagnostic, ...]:
    problems = (*check_value(value, SETTINGS[name].key, where, f"`{name}`"), *_check_empty(value, name, where))
    return problems or (tuple(_check_metric(value, where)) if name == "accuracy.metric" else ())


def _check_empty(value: Any, name: str, where: Location) -> list[Diagnostic]:
    """EC125 for a name without a letter, as a variable of a shell that was never set leaves it."""
    if name not in SETTINGS or SETTINGS[name].key.kind != "text" or not isinstance(value, str) or value.strip():
        return []
    return [
        Diagnostic(
            code="EC125",
            message=f"`{name}` is empty",
            location=where,
            notes=("limit: at least one letter", f"found: {'nothing' if not value else 'blanks'}"),
            help=("give it a value or leave it out; in a script, look whether its variable is set",),
        )
    ]


def _check_metric(value: Any, where: Location) -> list[Diagnostic]:
    if not isinstance(value, str) or value in METRICS or is_entry(value):
        return []
    return [
        Diagnostic(
            code="EC125",
            message=f"there is no metric `{value}`",
            location=where,
            notes=(f"limit: one of {', '.join(METRICS)}, or `module:function`", f"found: {value}"),
            help=did_you_mean(value, METRICS)
            or (f"take one of them, as in `{METRICS[0]}`, or a function of your own, as in `score.py:my_metric`",),
        )
    ]


def _share_beyond_all(accuracy: Accuracy, origin: str) -> list[Diagnostic]:
    """EC125 for a drop of more than everything, of a score that is a share."""
    if accuracy.metric not in SHARES or accuracy.max_drop is None or accuracy.max_drop <= 1:
        return []
    return [
        Diagnostic(
            code="EC125",
            message="`max_drop` allows more than all that there is to lose",
            location=Location(file=origin, detail="[accuracy] `max_drop`"),
            notes=(f"limit: 1, for `{accuracy.metric}` is a share: 0.01 is one point", f"found: {accuracy.max_drop:g}"),
            help=(f"for {accuracy.max_drop:g} points say `max_drop = {accuracy.max_drop / 100:g}`",),
        )
    ]


def _demand_complete(project: Project) -> None:
    if not project.model:
        raise bad_input(
            "EC131",
            "no model is named",
            notes=(f"looked in the arguments, {variable('model')} and [project] `model` of {PROJECT_FILE}",),
            help=(
                "name it, as in `edgecompile build model.keras -t TARGET`",
                f"or write it into {PROJECT_FILE}: `edgecompile init`",
            ),
        )
    if not project.targets:
        raise bad_input(
            "EC132",
            "no target is named",
            notes=(f"looked in `--target`, {variable('targets')} and [project] `targets` of {PROJECT_FILE}",),
            help=("name one with `-t`; `edgecompile targets list` shows them",),
        )
