"""The compiler, top to bottom: a project in, one report for each target out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edgecompile import bill, board, board_latency, compressing, foreseen, judging, stages, twin
from edgecompile.app_runtime import hold_runtime
from edgecompile.body_tail import verify_body_and_tail, write_body_and_tail
from edgecompile.cache.memo import Memo
from edgecompile.cache.store import Store
from edgecompile.card import attach_card
from edgecompile.core.errors import EdgecompileError, RejectedError
from edgecompile.core.progress import Progress
from edgecompile.core.project import Project
from edgecompile.core.report import Report
from edgecompile.core.target import Target
from edgecompile.delegation import delegation, prove
from edgecompile.device_compiler import compile_for_device
from edgecompile.emit.depfile import Depfile
from edgecompile.forecast import forecast, write_segments
from edgecompile.frontend.source import open_model
from edgecompile.job import Job, Neighbour
from edgecompile.lowering import lower, scheme_of

# By target: the models that share one device of it, in the order of their priority.
Together = dict[str, list[Neighbour]]


def build(
    project: Project,
    targets: Sequence[Target],
    progress: Progress,
    *,
    require_verified: bool = False,
    depfile: Depfile | None = None,
    verify_samples: int | None = None,
    together: Together | None = None,
    cache: Path | None = None,
    store: Store | None = None,
    beside: Path | None = None,
) -> tuple[Report, ...]:
    """Compile the project's model for every target; each target's folder appears whole or stays as it was.

    A target that rejects the model says so in its report. Raises BadInputError, RejectedError and
    MissingError for what no target could be built from. ``verify_samples`` bounds the held-out
    samples, None: all. ``together`` holds models built before that share the device, and takes up this one.
    ``cache`` is the tool's cache folder, where an ARM64 runtime may be set up; None: there is none. ``store`` is what
    earlier builds found out, None: everything is done anew, training too. ``beside`` is the output of the same project,
    built before to be compared (EC824); None: there is none.
    """
    stages.probe_outputs(project, targets)
    stages.foresee(project, targets)
    foreseen.demand_data(project)
    jobs, scratch = _start(project, targets, progress, verify_samples, together, cache, store)
    for job in jobs:
        job.cache = cache
        compressing.tell(job)
    with scratch:
        made_of = bill.bill_of(project, jobs[0].lowered) if jobs else ()
        reports = tuple(_run(job, lambda job: _compile(job, require_verified, made_of, beside)) for job in jobs)
    stages.write_depfile(depfile, jobs, reports)
    return reports


def check(
    project: Project,
    targets: Sequence[Target],
    progress: Progress,
    together: Together | None = None,
    store: Store | None = None,
) -> tuple[Report, ...]:
    """Would the model run on the targets, and fit? Trains nothing, writes nothing, needs no data.

    What a build would refuse of the recipe by itself is refused here too.

    ``together`` and ``store`` as for :func:`build`.
    """
    stages.foresee(project, targets)
    stages.check_recipe(project.recipe)
    compressing.foresee(project, targets, [scheme_of(project, target) for target in targets])
    plain = dataclasses.replace(project, recipe=dataclasses.replace(project.recipe, steps=()))
    jobs, scratch = _start(stages.without_data(plain), targets, progress, 1, together, None, store)
    for job in jobs:
        stages.hush_noise(job)
        compressing.not_taken(job, project.recipe)
    with scratch:
        return tuple(_run(job, _look) for job in jobs)


def _start(
    project: Project,
    targets: Sequence[Target],
    progress: Progress,
    samples: int | None,
    together: Together | None,
    cache: Path | None,
    store: Store | None,
) -> tuple[list[Job], tempfile.TemporaryDirectory[str]]:
    stages.check_recipe(project.recipe)
    source = open_model(project.model, project.base)
    schemes = [scheme_of(project, target) for target in targets]
    steps = compressing.request(project, source, targets, schemes, cache if store is not None else None)
    scratch = tempfile.TemporaryDirectory(prefix="edgecompile-")
    try:
        card = any(target.model_metadata for target in targets)
        lowered = lower(project, source, schemes, Path(scratch.name), progress, samples, steps, store, card=card)
    except BaseException:
        scratch.cleanup()
        raise
    pairs = zip(targets, schemes, strict=True)
    jobs = [Job(project, target, scheme, lowered, progress, memo=Memo(store=store)) for target, scheme in pairs]
    if together is not None:
        for job in jobs:
            job.neighbours = together.setdefault(job.target.id, [])
    return jobs, scratch


def _compile(job: Job, require_verified: bool, made_of: tuple[bill.Row, ...], beside: Path | None) -> None:
    _examine(job)
    with stages.staging(job) as folder:
        stages.emit(job, folder, board.golden(job))
        write_segments(job, folder)
        write_body_and_tail(job, folder)
        compile_for_device(job, folder)
        prove(job)
        judging.verify(job, require_verified)
        verify_body_and_tail(job, folder)
        judging.verify_program(job, folder, require_verified)
        judging.verify_features(job, folder, require_verified)
        board.measure(job, folder, require_verified)
        twin.hold(job, folder, beside)
        bill.tell(job, made_of)
        stages.publish(job, folder)


def _look(job: Job) -> None:
    _examine(job)
    stages.review(job)


def _examine(job: Job) -> None:
    stages.read_network(job)
    stages.optimize(job)
    stages.legalize(job)
    hold_runtime(job)
    attach_card(job)
    stages.count_costs(job)
    stages.check_operators(job)
    stages.compile_program(job)
    stages.plan_memory(job)
    stages.refuse(job)
    delegation(job)
    forecast(job)
    board_latency.forecast(job)


def _run(job: Job, work: Callable[[Job], None]) -> Report:
    """The report of one target, also when it rejects the model or lacks a program."""
    try:
        work(job)
    except EdgecompileError as error:
        if not isinstance(error, RejectedError) and error.exit_code != 3:
            raise
        job.artifacts.clear()  # they were staged, and went with the stage
        job.diagnostics += error.diagnostics
        job.status = "rejected" if isinstance(error, RejectedError) else "failed"
    return job.report()
