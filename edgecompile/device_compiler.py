"""The stage that hands the emitted model to the device's own compiler, where the target has one."""

from __future__ import annotations

from pathlib import Path

from edgecompile.cache.identity import program
from edgecompile.core.artifact import describe
from edgecompile.core.report import Measure
from edgecompile.ir import writer
from edgecompile.job import Job
from edgecompile.toolchain.compile import Compiled, File, Predicted, Request, compile_model


def compile_for_device(job: Job, folder: Path) -> None:
    """Write what the compiler made into ``folder``; its figures take the place of predicted ones.

    Nothing for a target without a compiler, or where the user wants none. Raises EC579, EC580, and EC191 for
    a command of the user's whose program is not there.
    """
    compiler, wish = job.target.compiler, job.project.compiler
    if compiler is None or not wish.enabled:
        return
    assert job.content is not None and job.verdict is not None
    with job.stage("Device", compiler.name) as summary:
        request = Request(
            name=job.name,
            content=job.content,
            beside=tuple((one.name, writer.write(one.network)) for one in job.neighbours if one.name != job.name),
            target=job.target,
            predicted=_predicted(job),
            measures={measure.name: measure.value for measure in job.measures},
            command=wish.command,
            timeout_s=wish.timeout_s or compiler.timeout_s,
        )
        compiled = _compiled(job, request)
        _take_up(job, compiled, folder)
        summary.append(compiled.summary)


def _compiled(job: Job, request: Request) -> Compiled:
    """Done once for the same request and program; a command of the user's may stand for anything, and is run anew."""
    assert request.target.compiler is not None
    tool = program(request.target.compiler.name)
    if tool is None or request.command is not None:
        return compile_model(request)
    return job.memo.of(
        "compiled for device",
        (request, tool),
        (Compiled, File, Measure),
        lambda: compile_model(request),
        keep=lambda compiled: bool(compiled.version and compiled.files),
    )


def _predicted(job: Job) -> tuple[Predicted, ...]:
    assert job.verdict is not None
    there = job.target.placement.accelerator
    return tuple(
        Predicted(name=placed.name, accelerated=placed.where == there, status=placed.status)
        for placed in job.verdict.placements
        if placed.subgraph == 0
    )


def _take_up(job: Job, compiled: Compiled, folder: Path) -> None:
    for file in compiled.files:
        (folder / file.path).write_bytes(file.content)
        job.artifacts.append(describe(folder, file.path, file.kind))
    job.measures = _replaced(job.measures, compiled.measures)
    job.diagnostics += compiled.diagnostics
    job.details |= {name: detail for name, detail in compiled.details.items() if detail}
    if compiled.version:
        job.versions["compiled by"] = compiled.version


def _replaced(measures: list[Measure], better: tuple[Measure, ...]) -> list[Measure]:
    """Measures of the same name in the place of those before, new ones at the end."""
    named = {measure.name: measure for measure in better}
    kept = [named.pop(measure.name, measure) for measure in measures]
    return [*kept, *named.values()]
