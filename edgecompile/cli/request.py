"""What `build` and `check` are asked: their common options, and the project that flags, environment and file make."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgecompile.cli import completion
from edgecompile.cli.flag_words import flags_as_typed, share_of
from edgecompile.core.errors import bad_input
from edgecompile.core.naming import model_name
from edgecompile.core.project import GOALS, Project
from edgecompile.core.recipe import NUMERICS
from edgecompile.core.target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

F = TypeVar("F", bound=Callable[..., Any])

PROJECT_FILE = "edgecompile.toml"
IO_DTYPES = ("int8", "uint8", "int16", "float32")

# Flags that say how the model is laid out on devices; they are not settings of a project file.
_DEVICES = ("segments", "multiple_subgraphs")

# Flags whose settings live in a table of the project file; the others have the setting's name.
_SETTINGS = {
    "data": "data.source",
    "calibration_samples": "data.calibration_samples",
    "metric": "accuracy.metric",
    "max_accuracy_drop": "accuracy.max_drop",
    "flash": "budget.flash",
    "ram": "budget.ram",
}

_OPTIONS = (
    click.argument("models", nargs=-1, metavar="[MODEL]..."),
    click.option(
        *("--target", "-t", "targets"),
        multiple=True,
        metavar="TARGET",
        shell_complete=completion.targets,
        help="Device; may be given again.",
    ),
    click.option("--project", metavar="FILE", help=f"Project file.  [default: {PROJECT_FILE}, if there]"),
    click.option("--numerics", type=click.Choice(NUMERICS), help="Numbers on the device; else the target's choice."),
    click.option("--io-dtype", type=click.Choice(IO_DTYPES), help="Type of inputs and outputs on the device."),
    click.option(
        "--no-rewrite", "no_rewrite", multiple=True, metavar="NAME", help="Rewrite of the target's to leave out."
    ),
    click.option("--min-runtime", metavar="X.Y", help="Oldest TensorFlow Lite that must read the model."),
    click.option(
        "--optimize",
        type=click.Choice(GOALS),
        help="What counts most for the C library's weights.  [default: balanced]",
    ),
    click.option(
        "--recipe",
        metavar="NAME|FILE",
        shell_complete=completion.recipes,
        help="Compression to apply first; `auto`: the target's own.",
    ),
    click.option("--custom", metavar="FILE", help="Python module with the model's custom layers."),
    click.option(
        "--input-shape",
        multiple=True,
        metavar="[NAME=]SIZES",
        help="Shape, without the batch, of an input that the model leaves open: 96x96x3.",
    ),
    click.option("--no-cache", is_flag=True, help="Do everything anew, and keep nothing for the next time."),
    click.option("--trust", is_flag=True, default=None, help="Let the model file run the code it carries."),
    click.option("--flash", metavar="SIZE", help="Flash that the model may take, such as `128 KiB`."),
    click.option("--ram", metavar="SIZE", help="RAM that the model may take, such as `32 KiB`."),
    click.option(
        "--segments", type=click.IntRange(min=1), metavar="N", help="Cut the model for N devices, balanced by time."
    ),
    click.option(
        "--multiple-subgraphs",
        is_flag=True,
        default=None,
        help="Let the accelerator run every part that other operators cut off.",
    ),
)


def request_options(function: F) -> F:
    """MODEL, ``--target`` and what else changes what is compiled."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def projects_of(flags: Mapping[str, Any], file: str | None) -> tuple[Project, ...]:
    """One project for each MODEL, or the one that the project file names; several write to a folder each.

    Raises EC105 for a word that cannot be a model, EC557 for two models of one name, and what :func:`project_of`
    raises.
    """
    own = {name: value for name, value in flags.items() if name not in (*_DEVICES, "models")}
    models: tuple[str, ...] = tuple(flags.get("models") or ())
    _no_stray_word(models[1:])
    found = tuple(project_of({**own, "model": model}, file) for model in models or (None,))
    devices = {name: flags[name] for name in _DEVICES if flags.get(name) is not None}
    found = tuple(replace(project, **devices) for project in found)
    if len(found) < 2:
        return found
    _each_its_name(models)
    return tuple(replace(one, output=one.output / model_name(model)) for one, model in zip(found, models, strict=True))


def _no_stray_word(models: tuple[str, ...]) -> None:
    """EC105 for a word behind the first model that can be none: a target whose `--target` was forgotten."""
    stray = next((m for m in models if not Path(m).exists() and "." not in m and ":" not in m), None)
    if stray is not None:
        raise bad_input(
            "EC105",
            f"`{stray}` is neither a model nor an option",
            help=(f"devices are named with `--target {stray}`", "see `edgecompile build --help`"),
        )


def _each_its_name(models: tuple[str, ...]) -> None:
    twice = next(
        (model_name(model) for model in models if [model_name(m) for m in models].count(model_name(model)) > 1), None
    )
    if twice is not None:
        raise bad_input(
            "EC557",
            f"two of the models are called `{twice}`",
            notes=(f"models built together are written to a folder each, called after them: {', '.join(models)}",),
            help=("rename one of the files",),
        )


def project_of(flags: Mapping[str, Any], file: str | None) -> Project:
    """The project: flags before environment before file. Without ``file``, edgecompile.toml here, if it is there.

    Raises what ``config.project`` raises: EC120 to EC133.
    """
    from edgecompile.config.project import merge, read_project, with_profiles_recipe

    path = Path(file or PROJECT_FILE)
    project = read_project(path) if file or path.is_file() else None
    settings = {_SETTINGS.get(name, name): value for name, value in flags.items() if value not in (None, ())}
    points = settings.pop("accuracy.max_drop", None)
    with flags_as_typed({setting: name for name, setting in _SETTINGS.items()}):
        merged = merge(project, settings, os.environ)
        if points is not None:
            # How much a point is depends on the metric, which may come from any of the three.
            settings["accuracy.max_drop"] = share_of(points, merged.accuracy.metric)
            merged = merge(project, settings, os.environ)
    return with_profiles_recipe(merged, targets_of(merged))


def targets_of(project: Project) -> tuple[Target, ...]:
    """The profiles of the project's targets, each once, in the order they were named."""
    from edgecompile.config.profiles import load

    targets = tuple(load(name) for name in dict.fromkeys(project.targets))
    if not project.multiple_subgraphs:
        return targets
    return tuple(replace(one, placement=replace(one.placement, max_partitions=None)) for one in targets)
