"""The answer of a search: its front trained on all samples and judged on the test part, the best of it, or what gives.

While it searches, a part of the training samples is held out, and a score there is as sure as they are many. So what
lies just behind the front is judged too, and all of it is trained again on the samples that were held out as well: what
is told of a recipe is what ``build`` makes of it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgecompile.core.diagnostic import from_dict
from edgecompile.core.errors import from_exit_code
from edgecompile.core.project import Accuracy, Budget, DataSpec, Project
from edgecompile.core.recipe import Recipe
from edgecompile.search import objectives, pareto, recipes
from edgecompile.search.driver import FRONT, Pool
from edgecompile.search.objectives import ACCURACY, NO_LIMIT, Figures, Limits, meets, point, violations
from edgecompile.search.proposals import SENSITIVITY, Asked
from edgecompile.search.study import COMPLETE, DISCARDED, FAILED, Study, Trial
from edgecompile.search.trial import Order, Place, demand_written, work

# Of what lies just behind the front as many are judged, for each point on it, where the table has room.
_NEAR = 0.5


@dataclass(frozen=True, kw_only=True)
class Point:
    """A trial of the front: what it scored in the search, and on the test part, which the search never saw."""

    trial: Trial
    searched: Figures
    tested: Figures
    on_front: bool = False
    meets: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "trial": self.trial.number,
            "origin": self.trial.origin,
            "recipe": recipes.to_plain(plain_recipe(self.trial)),
            "title": recipes.title(plain_recipe(self.trial)),
            "full": self.trial.full,
            "on_front": self.on_front,
            "meets": self.meets,
            "test": self.tested.to_dict(),
            "search": self.searched.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Needed:
    """A limit that alone would have to be ``value`` for a point to meet all; None: no point meets the others."""

    limit: str
    granted: float
    value: float | None
    trial: int | None


def plain_recipe(trial: Trial) -> Recipe:
    """The trial's recipe without what only the search wanted to know."""
    steps = tuple(step for step in trial.recipe.steps if step.name != SENSITIVITY)
    return dataclasses.replace(trial.recipe, name="tuned", steps=steps)


def candidates(trials: Sequence[Trial], asked: Asked) -> list[Trial]:
    """The front by the search's figures, what meets the limits first, in the order of preference; then what is near it.

    Of a front that is too long those go whose neighbours are nearest; the ends of it stay.
    """
    scored = [one for one in trials if one.state == COMPLETE and one.figures is not None]
    ranks = pareto.ranks([point(one.figures, asked.names) for one in scored if one.figures])
    front = [one for one, rank in zip(scored, ranks, strict=True) if rank == 0]
    feasible = sorted((one for one in front if one.figures and meets(one.figures, asked.limits)), key=_wish(asked))
    feasible = _spread(feasible, FRONT, asked)
    others = [one for one in front if one.figures and not meets(one.figures, asked.limits)]
    others.sort(key=lambda one: (_over(one.figures, asked.limits), one.number))
    chosen = [*feasible, *others][:FRONT]
    near = [one for one, rank in zip(scored, ranks, strict=True) if rank == 1]
    near.sort(key=lambda one: (_over(one.figures, asked.limits), one.number))
    return chosen + _spread(near, min(FRONT - len(chosen), math.ceil(_NEAR * len(chosen))), asked)


def _spread(trials: list[Trial], most: int, asked: Asked) -> list[Trial]:
    """Without the most crowded ones, so that so many are left at most."""
    left = list(trials)
    while len(left) > most:
        apart = pareto.crowding([point(one.figures, asked.names) for one in left if one.figures])
        left.pop(min(range(len(left)), key=lambda index: (apart[index], -index)))
    return left


def judge(
    found: Sequence[Trial],
    study: Study,
    asked: Asked,
    project: Project,
    place: Place,
    pool: Pool,
    told: Callable[[int, int], None],
) -> list[Point]:
    """The candidates trained on all samples, as ``build`` does it, and scored on the test part; in the same order.

    What was built so before is read. ``told`` hears how many of how many are done. A build that fails now is left out;
    raises what the first of them said where none is left, and what any says whose output cannot be written.
    """
    waiting = {}
    for trial in found:
        if not _report(study, trial, asked).is_file():
            order = Order(project=tested(project, trial, study), target=asked.target, place=place)
            waiting[trial.number] = pool.submit(work, order)
    told(len(found) - len(waiting), len(found))
    answers = []
    for done, future in enumerate(waiting.values(), 1):
        answers.append(future.result())
        demand_written(answers[-1])
        told(len(found) - len(waiting) + done, len(found))
    points = []
    for trial in found:
        file = _report(study, trial, asked)
        figures = objectives.figures(json.loads(file.read_bytes())["measures"]) if file.is_file() else None
        if figures is not None and trial.figures is not None:
            points.append(Point(trial=trial, searched=trial.figures, tested=figures))
    failed = next((one for one in answers if one["exit_code"]), None)
    if failed is not None and not points:
        raise from_exit_code(failed["exit_code"], [from_dict(one) for one in failed["diagnostics"]])
    on_front = set(pareto.front([point(one.tested, asked.names) for one in points]))
    return [
        dataclasses.replace(one, on_front=index in on_front, meets=meets(one.tested, asked.limits))
        for index, one in enumerate(points)
    ]


def best(points: Sequence[Point], asked: Asked) -> Point | None:
    """The first that met the limits in the search and meets them on the test part, else one that does on the latter.

    The search's scores decide, so that the score told for the best is not the highest of several by luck; but what
    another point dominates on the test part is not handed out.
    """
    able = [one for one in points if one.meets]
    chosen = next((one for one in able if meets(one.searched, asked.limits)), able[0] if able else None)
    for one in able if chosen else ():
        if chosen and pareto.dominates(point(one.tested, asked.names), point(chosen.tested, asked.names)):
            chosen = one
    return chosen


def needed(points: Sequence[Point], limits: Limits) -> list[Needed]:
    """For each limit, what it alone would have to be."""
    found = []
    for name, limit in limits.given().items():
        others = [one for one in points if all(v <= 0 for k, v in violations(one.tested, limits).items() if k != name)]
        valued = [(value, one.trial.number) for one in others if (value := one.tested.of(name)) is not None]
        value, trial = min(valued, default=(None, None))
        found.append(Needed(limit=name, granted=limit, value=value, trial=trial))
    return found


def tested(project: Project, trial: Trial, study: Study) -> Project:
    """The project as a point of the front is built: trained on all samples, scored on the test part, no limits."""
    recipe = plain_recipe(trial)
    return dataclasses.replace(
        project,
        recipe=recipe,
        numerics=recipe.numerics,
        calibration=recipe.calibration,
        output=study.final(trial.number),
        budget=Budget(),
        accuracy=Accuracy(metric=project.accuracy.metric, max_drop=NO_LIMIT),
        data=_whole(project),
        emit=(),
    )


def delivered(project: Project, trial: Trial, limits: Limits) -> Project:
    """The project as the answer is built: into the user's folder, the drop held against the limit."""
    recipe = plain_recipe(trial)
    return dataclasses.replace(
        project,
        recipe=recipe,
        numerics=recipe.numerics,
        calibration=recipe.calibration,
        budget=Budget(),
        accuracy=Accuracy(metric=project.accuracy.metric, max_drop=limits.max_drop),
        data=_whole(project),
    )


def _whole(project: Project) -> DataSpec:
    """The data without a part that is held out for the search."""
    return dataclasses.replace(project.data, searched=0.0, as_test=False)


def to_plain(points: Sequence[Point], trials: Sequence[Trial], asked: Asked, chosen: Point | None) -> dict[str, Any]:
    """``front.json``: how it was asked, what was found, and what would have to give where nothing meets the limits.

    ``tried`` are the first other objective and the score of every trial, as the search saw them.
    """
    limits = asked.limits
    first = next((name for name in asked.names if name != ACCURACY), "flash")
    scored = [one.figures for one in trials if one.figures is not None]
    gives = [] if chosen else [dataclasses.asdict(one) for one in needed(points, limits)]
    return {
        "schema": 1,
        "target": asked.target.id,
        "seed": asked.seed,
        "objectives": list(asked.names),
        "limits": dataclasses.asdict(limits),
        "trials": {
            "built": sum(one.is_done and one.state != DISCARDED for one in trials),
            "discarded": sum(one.state == DISCARDED for one in trials),
            "failed": sum(one.state == FAILED for one in trials),
        },
        "best": chosen.trial.number if chosen else None,
        "needed": gives,
        "points": [one.to_dict() for one in points],
        "tried": [[one.values[first], one.values[ACCURACY]] for one in scored if first in one.values],
    }


def _report(study: Study, trial: Trial, asked: Asked) -> Any:
    return study.final(trial.number) / asked.target.id / "report.json"


def _wish(asked: Asked) -> Callable[[Trial], tuple[Any, ...]]:
    """Bytes are granted: the best score; else as small as the drop allows."""
    granted = asked.limits.flash_bytes is not None or asked.limits.ram_bytes is not None
    first = [name for name in asked.names if name != ACCURACY]
    order = [ACCURACY, *first] if granted or asked.limits.max_drop is None else [*first, ACCURACY]
    return lambda trial: (*point(trial.figures, order), trial.number) if trial.figures else ()


def _over(found: Figures | None, limits: Limits) -> float:
    return sum(max(one, 0.0) for one in violations(found, limits).values()) if found else float("inf")
