"""Budgets before and after a search: those that contradict each other or the target, and those that nothing meets."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.config.project import BUILT_IN, PROFILE
from edgecompile.core.errors import EdgecompileError, bad_input, rejected
from edgecompile.core.project import Project
from edgecompile.core.recipe import Recipe
from edgecompile.core.target import Target
from edgecompile.core.units import format_size, group
from edgecompile.frontend.source import ModelSource
from edgecompile.measure.board.energy import power_of
from edgecompile.search import answer, recipes
from edgecompile.search.driver import no_evaluation
from edgecompile.search.objectives import ACCURACY, Limits, violations
from edgecompile.search.proposals import Asked
from edgecompile.search.study import FAILED, Trial

# The share of the training part that recipes are judged by.
SEARCHED = 0.15
_SHARES = ("top1", "auc", "miou")
_NEAREST = 3
_WORDS = {"flash": "flash", "ram": "RAM", "drop": "the accuracy drop"}


def limits_of(project: Project, target: Target, source: ModelSource) -> Limits:
    """The limits of a search. Raises EC861 for a .tflite, EC852 without data, EC856 for limits nothing can meet."""
    if source.kind == "tflite":
        raise bad_input(
            "EC861",
            f"`{source.name}` is converted already: there is no recipe to search for",
            source.name,
            notes=("recipes train and change the float model; a .tflite is compiled as it is",),
            help=("give the Keras model that it was made from",),
        )
    if project.data.source is None:
        raise no_evaluation("")
    limits = Limits(
        flash_bytes=project.budget.flash_bytes,
        ram_bytes=project.budget.ram_bytes,
        max_drop=project.accuracy.max_drop,
    )
    _hold(limits.flash_bytes, "flash", _least(target, "flash"))
    _hold(limits.ram_bytes, "RAM", _least(target, "ram"))
    return limits


def demand_figures(names: Sequence[str], target: Target) -> None:
    """Raises EC867 for energy as an objective where the target's profile does not say what the board takes."""
    if "energy" not in names or power_of(target.board) is not None:
        return
    raise bad_input(
        "EC867",
        f"the profile of `{target.id}` does not say what the board takes while it computes",
        "--objective energy",
        notes=("energy is predicted: latency by the power of the board", "found: no `active_mw` in [board.energy]"),
        help=(
            "`--objective time` puts recipes in the same order, for on one board energy follows time",
            "or add [board.energy] with `active_mw` and its `source` to a profile of your own",
        ),
    )


def _least(target: Target, kind: str) -> tuple[int, str]:
    """What a target needs before there is a model, and for what; C libraries bring no runtime along."""
    runtime = target.runtime
    if runtime is None or "c_library" in target.emit:
        return 1, "a model"
    return (runtime.flash_bytes if kind == "flash" else runtime.ram_bytes) + 1, runtime.name


def _hold(granted: int | None, word: str, least: tuple[int, str]) -> None:
    if granted is None or granted >= least[0]:
        return
    raise bad_input(
        "EC856",
        f"no model fits into {group(granted)} bytes of {word}",
        f"--{word.lower()}",
        notes=(f"limit: {group(least[0])} bytes at the least, for {least[1]}; found: {group(granted)}",),
        help=("grant more, or take another target",),
    )


def insisted(project: Project) -> str | None:
    """The numerics that the user named, not those of a profile or a recipe."""
    origin = str(project.origins.get("numerics", PROFILE))
    return project.numerics if origin != PROFILE and not origin.startswith("recipe") else None


def own_recipe(project: Project) -> Recipe | None:
    """The recipe that the user named: the search tries it too."""
    origin = str(project.origins.get("recipe", BUILT_IN))
    return project.recipe if origin != BUILT_IN and not origin.startswith("profile") else None


def nothing_built(trials: Sequence[Trial]) -> EdgecompileError:
    """EC865, to be raised: no trial came to an end that could be judged."""
    reasons = list(dict.fromkeys(one.reason for one in trials if one.state == FAILED and one.reason))
    return rejected(
        "EC865",
        "no recipe could be built and judged",
        notes=(f"trials: {len(trials)}", *reasons[:4]),
        help=("`edgecompile build` with the same model and target shows what is in the way", "give it more `--time`"),
    )


def unmet(points: Sequence[answer.Point], asked: Asked) -> EdgecompileError:
    """EC855: what came nearest, each limit with the least that was found, and which limit alone would have to give."""
    notes = [*_held(points, asked.limits), *(f"nearest: {_described(one, asked)}" for one in points[:_NEAREST])]
    gives = []
    for one in answer.needed(points, asked.limits):
        if one.value is None:
            continue
        figure = _figure(one.limit, one.value, points)
        gives.append(f"{_WORDS[one.limit]}: grant {figure} (trial {one.trial})")
    help = [f"with the other budgets as they are, {gives[0]}"] if gives else [_together(points, asked.limits)]
    help += [f"or {one}" for one in gives[1:]]
    return rejected(
        "EC855",
        f"no recipe that was tried meets the budgets on `{asked.target.id}`",
        notes=tuple(notes),
        help=(*help, "search longer: the same command with a larger `--trials` or `--time` goes on"),
    )


def _held(points: Sequence[answer.Point], limits: Limits) -> list[str]:
    """A line for each limit: the least that any point needs, and how many of them keep to it."""
    lines = []
    for limit, granted in limits.given().items():
        found = [(value, one.trial.number) for one in points if (value := one.tested.of(limit)) is not None]
        if not found:
            continue
        least, trial = min(found)
        within = sum(violations(one.tested, limits).get(limit, 0) <= 0 for one in points)
        words = f"least found {_figure(limit, least, points)} (trial {trial})"
        kept = f"; {within} of {len(points)} within" if within else ""
        lines.append(f"{_WORDS[limit]}: limit {_figure(limit, granted, points)}, {words}{kept}")
    return lines


def _together(points: Sequence[answer.Point], limits: Limits) -> str:
    """What the point that passes the limits by least would need of all that it passes."""

    def over(one: answer.Point) -> dict[str, float]:
        return {limit: by for limit, by in violations(one.tested, limits).items() if by > 0}

    nearest = min(points, key=lambda one: sum(over(one).values()), default=None)
    if nearest is None:
        return "grant more"
    wanted = [
        f"{_figure(limit, value, points)} of {_WORDS[limit]}"
        for limit in over(nearest)
        if (value := nearest.tested.of(limit)) is not None
    ]
    return f"no single budget is in the way: trial {nearest.trial.number} needs {' and '.join(wanted)}"


def _described(one: answer.Point, asked: Asked) -> str:
    unit = one.tested.units[ACCURACY]
    score = one.tested.values[ACCURACY]
    words = [f"{100 * score:.2f} % {unit}" if unit in _SHARES else f"{unit} {score:.5g}"]
    words += [
        f"{format_size(int(one.tested.values[name]))} of {_WORDS[name]}"
        for name in ("flash", "ram")
        if name in one.tested.values and name in asked.limits.given()
    ]
    return f"{', '.join(words)} with {recipes.title(answer.plain_recipe(one.trial))} (trial {one.trial.number})"


def _figure(limit: str, value: float, points: Sequence[answer.Point]) -> str:
    if limit != "drop":
        return format_size(int(value))
    unit = points[0].tested.units[ACCURACY] if points else ""
    return f"{round(100 * value, 2) + 0.0:.2f} points" if unit in _SHARES else f"{value:.4g}"
