"""What `tune` does once it is known what is wanted: search, judge, build, write, tell."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.cli.cache_place import cache_folder, cache_limit, keeping, setting_of
from edgecompile.cli.console import Console
from edgecompile.cli.tune_progress import Progress
from edgecompile.core.diagnostic import from_dict
from edgecompile.core.errors import EdgecompileError, from_exit_code
from edgecompile.core.project import Project
from edgecompile.core.target import Target
from edgecompile.emit.output_errors import told
from edgecompile.frontend.source import open_model
from edgecompile.lowering import scheme_of
from edgecompile.report import pareto
from edgecompile.report.json import dump_object
from edgecompile.search import answer, budget, executors, genome, objectives, proposals
from edgecompile.search.driver import Search
from edgecompile.search.folder import Written, publish, write_front
from edgecompile.search.identity import identity
from edgecompile.search.proposals import Asked
from edgecompile.search.study import Study, open_study
from edgecompile.search.trial import Order, Place, work
from edgecompile.stages import check_recipe


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How to search, as the flags say it."""

    objectives: tuple[str, ...]
    seconds: float | None
    trials: int | None
    epochs: int
    workers: int | None
    threads: int
    scheduler: str | None
    study: Path
    no_cache: bool


@dataclass(frozen=True, kw_only=True)
class Task:
    """A search, checked and opened. Trials are built at ``trying``, the answer, as `build` does, at ``place``."""

    project: Project
    asked: Asked
    study: Study
    trying: Place
    place: Place
    pool: Any
    workers: int
    deadline: float | None


def tune(console: Console, project: Project, target: Target, wish: Wish, *, as_json: bool) -> int:
    """Search and tell; the exit code: 0 where the budgets are met, 1 where they cannot be."""
    started = time.monotonic()
    with keeping(console, wish.no_cache), told(wish.study, "--study"), _opened(project, target, wish, started) as task:
        console.diagnostics(task.study.said)
        console.begin("Tune", target.id)
        progress = Progress(console, task.asked)
        search = Search(
            study=task.study,
            asked=task.asked,
            project=task.project,
            place=task.trying,
            pool=task.pool,
            workers=task.workers,
            listener=progress,
            deadline=task.deadline,
        )
        try:
            trials = search.run()
            console.end(progress.summary(trials))
            return _conclude(console, task, trials, as_json)
        except EdgecompileError:
            task.study.forget()
            raise
        except KeyboardInterrupt:
            console.say(f"the search is kept in {wish.study}: the same command goes on with it")
            raise


@contextmanager
def _opened(project: Project, target: Target, wish: Wish, started: float) -> Iterator[Task]:
    """Check everything that can be checked before the first trial, then open study and workers.

    Raises what budgets, numbers and objectives raise that no build could meet.
    """
    source = open_model(project.model, project.base)
    limits = budget.limits_of(project, target, source)
    own = budget.own_recipe(project)
    if own:
        check_recipe(own)
    scheme_of(project, target)
    names = objectives.chosen(wish.objectives, limits)
    budget.demand_figures(names, target)
    numerics = budget.insisted(project)
    space = genome.dimensions(target, numerics, wish.epochs)
    pool, workers = _pool(wish)
    try:
        asked = Asked(
            space=space,
            target=target,
            own=own,
            names=names,
            limits=limits,
            seed=project.seed,
            most=wish.trials,
            lag=max(proposals.LAG, workers),
        )
        wanted = dataclasses.replace(project, data=dataclasses.replace(project.data, searched=budget.SEARCHED))
        named = identity(wanted, source, asked, wish.epochs, wish.threads)
        study = open_study(wish.study, named, space)
        deadline = None if wish.seconds is None else started + wish.seconds
        yield Task(
            project=wanted,
            asked=asked,
            study=study,
            trying=_place(wish, wish.threads),
            place=_place(wish, 0),
            pool=pool,
            workers=workers,
            deadline=deadline,
        )
    finally:
        pool.stop()


def _pool(wish: Wish) -> tuple[Any, int]:
    if wish.scheduler is None:
        workers = wish.workers or 1
        return executors.Lanes(workers), workers
    cluster = executors.Cluster(wish.scheduler)
    return cluster, wish.workers or cluster.workers


def _place(wish: Wish, threads: int) -> Place:
    """Of builds that may use so many threads; 0: what `build` uses, whose cache they share."""
    environment = executors.pins(threads)
    if wish.no_cache:
        return Place(cache=None, environment=environment, threads=threads)
    return Place(
        cache=cache_folder(),
        limit_bytes=cache_limit(),
        setting=setting_of({**os.environ, **environment}),
        environment=environment,
        threads=threads,
    )


def _conclude(console: Console, task: Task, trials: Any, as_json: bool) -> int:
    """Judge the front on the test part, build the best, write and show the answer."""
    found = answer.candidates(trials, task.asked)
    if not found:
        raise budget.nothing_built(trials)
    console.begin("Judge", f"{len(found)} recipe{'s' if len(found) > 1 else ''} on the test part")
    points = answer.judge(
        found,
        task.study,
        task.asked,
        task.project,
        task.place,
        task.pool,
        lambda done, whole: console.update(done, whole, f"{done} of {whole}"),
    )
    best = answer.best(points, task.asked)
    lost = len(found) - len(points)
    console.end(f"{sum(one.on_front for one in points)} on the front" + (f", {lost} not built" if lost else ""))
    front = answer.to_plain(points, trials, task.asked, best)
    where = write_front(task.study.folder, front, best)
    if best is not None:
        where = _deliver(console, task, best, front)
    console.say("")
    console.say(pareto.text(front))
    console.say("")
    for path in () if as_json else where.paths:
        console.result(str(path))
    said = budget.unmet(points, task.asked).diagnostics if best is None else ()
    if as_json:
        files = [str(path) for path in where.paths]
        plain = {"status": "rejected" if said else "verified", "diagnostics": [one.to_dict() for one in said]}
        console.result(dump_object({**plain, **front, "files": files}))
    console.diagnostics(said)
    return 1 if said else 0


def _deliver(console: Console, task: Task, best: answer.Point, front: dict[str, Any]) -> Written:
    """Build the best recipe into the user's folder, with its report, and the search beside it."""
    console.begin("Build", answer.plain_recipe(best.trial).name)
    project = answer.delivered(task.project, best.trial, task.asked.limits)
    with executors.Lanes(1) as lane:
        try:
            done = lane.submit(work, Order(project=project, target=task.asked.target, place=task.place)).result()
        except BaseException:
            lane.stop()
            raise
    if done["exit_code"]:
        raise from_exit_code(done["exit_code"], [from_dict(one) for one in done["diagnostics"]])
    place = project.output / task.asked.target.id
    written = publish(place, front, best, task.asked.limits)
    console.end(_from_here(place))
    return written


def _from_here(place: Path) -> str:
    """The path as a person in the current folder writes it."""
    here = Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


__all__ = ["EdgecompileError", "Wish", "tune"]
