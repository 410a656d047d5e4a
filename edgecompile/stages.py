"""What happens to one target's job, stage by stage; ``pipeline`` says in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgecompile import library_cost
from edgecompile.compress import recipe_check
from edgecompile.compress.contract import passes
from edgecompile.config.recipes import check_steps
from edgecompile.core.artifact import describe, listed
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import BadInputError, RejectedError
from edgecompile.core.project import DataSpec, Project
from edgecompile.core.recipe import Recipe
from edgecompile.core.report import Report
from edgecompile.core.target import Target
from edgecompile.core.units import counted, format_size
from edgecompile.emit import depfile, output
from edgecompile.emit import emit as emitting
from edgecompile.emit import foresee as foreseeing
from edgecompile.emit.c.refusals import refusals
from edgecompile.frontend.data_labels import labels_of
from edgecompile.ir import costs, reader, writer
from edgecompile.ir.compiled import refuse_compiled
from edgecompile.ir.network import Network
from edgecompile.job import Job
from edgecompile.legalize import check as legality
from edgecompile.legalize import legalize as legalizing
from edgecompile.legalize import table as operators
from edgecompile.legalize.runtime import parse_release
from edgecompile.lowering import AS_FOUND
from edgecompile.memory import arena, budgets, offline, program_plan, timeline
from edgecompile.optimize import apply as optimizing
from edgecompile.report import html as report_html
from edgecompile.report import json as report_json
from edgecompile.report import text as report_text
from edgecompile.report.words import INTERPRETER, NOTHING_MAPS
from edgecompile.stored_weights import program_of

_COUNTED = "counted in the emitted file"


def check_recipe(recipe: Recipe) -> None:
    """Raises EC129 for steps whose pass does not exist, EC123 to EC125 and EC304, EC305 for steps that cannot be."""
    wrong = check_steps(recipe, passes()) or recipe_check.check(recipe)
    if wrong:
        raise BadInputError(*wrong)


def without_data(project: Project) -> Project:
    """The project as `check` sees it: whether a model runs and fits does not depend on the samples.

    Labels and preprocessing stay: whether they fit the model's outputs and the device can be told.
    """
    given = project.data
    spec = DataSpec(
        calibration_samples=min(given.most_calibration_samples, 4), labels=given.labels, preprocess=given.preprocess
    )
    return dataclasses.replace(project, data=spec, random_calibration=True)


def hush_noise(job: Job) -> None:
    """Leave out the warning about calibration on noise: what `check` calibrates is not for use."""
    told = tuple(diagnostic for diagnostic in job.lowered.diagnostics if diagnostic.code != "EC303")
    job.lowered = dataclasses.replace(job.lowered, diagnostics=told)


def read_network(job: Job) -> None:
    """Picture the flatbuffer of the job's scheme. Raises EC210 to EC229, EC555 for one that is compiled already."""
    label = AS_FOUND if AS_FOUND in job.lowered.content else job.scheme.label
    job.network = reader.read(job.lowered.content[label], f"{job.name}.tflite")
    refuse_compiled(job.network, job.lowered.source.name)


def optimize(job: Job) -> None:
    """Run the exact passes and write the result; what is emitted is these bytes."""
    assert job.network is not None
    with job.stage("Optimize", job.target.id) as summary:
        optimized = optimizing.apply(job.network)
        summary.append(f"{_operators(job.network)} -> {_freeze(job, optimized.network)}")
        job.details["optimizations"] = [f"{change.pass_name}: {change.summary}" for change in optimized.changes]


def legalize(job: Job) -> None:
    """Run the rewrites that the profile asks for and the user does not refuse. Raises EC570, EC571."""
    assert job.network is not None
    if not job.target.rewrites and not job.project.no_rewrite:
        return
    with job.stage("Legalize", job.target.id) as summary:
        before = _operators(job.network)
        done = legalizing.legalize(
            job.network,
            job.target,
            job.project.no_rewrite,
            lambda network, without: optimizing.apply(network, without).network,
            keep_ends=job.project.io_dtype is not None,
        )
        if done.rewrites:
            job.details["rewrites"] = [rewrite.line for rewrite in done.rewrites]
            summary.append(f"{before} -> {_freeze(job, done.network)}")
        else:
            summary.append("nothing to rewrite")


def _freeze(job: Job, network: Network) -> str:
    """Write the network; what is emitted is these bytes. Gives operators and size in words."""
    obeys_plan = job.target.runtime is not None and job.target.runtime.obeys_plan
    job.content = writer.write(offline.attach(network) if obeys_plan else network)
    job.network = reader.read(job.content, f"{job.name}.tflite")
    return f"{counted(_operators(job.network), 'operator')}, {format_size(len(job.content))}"


def _operators(network: Network) -> int:
    return sum(len(subgraph.operators) for subgraph in network.subgraphs)


def count_costs(job: Job) -> None:
    """What the network to emit holds and computes, as measures."""
    assert job.network is not None and job.content is not None
    total = costs.totals(job.network)
    job.count("model_bytes", len(job.content), "bytes", _COUNTED)
    job.count("weights_bytes", total.weights_bytes, "bytes", _COUNTED)
    job.count("macs", total.macs, "count", _COUNTED)
    job.count("operators", _operators(job.network), "count", _COUNTED)


_OF_OPERATORS = (
    "where each runs is predicted from the rules of the profile; multiply-accumulates and bytes are counted in the "
    "emitted file; instructions, where there are any, are those of the time of the C library"
)


def check_operators(job: Job) -> None:
    """Hold every operator against the profile; what it refuses is told by :func:`refuse`, with all other causes."""
    assert job.network is not None
    with job.stage("Check", job.target.id) as summary:
        verdict = legality.check(job.network, job.target, f"{job.name}.tflite")
        job.verdict = verdict
        job.details["operators"] = operators.table(job.network, verdict)
        job.obtained("operators", _OF_OPERATORS)
        total = len(verdict.placements)
        where = job.target.placement
        refused = sum(placed.where != where.accelerator for placed in verdict.placements)
        summary.append(f"{total - refused} of {counted(total, 'operator')} on {where.accelerator}")
        if where.fallback is not None and 0 < total == refused:
            words = f"nothing maps to {where.accelerator}: all of it runs on the {where.fallback.upper()}"
            job.details[NOTHING_MAPS] = words
        method = f"predicted from the rules of profile `{job.target.id}`"
        job.count("operators_on_cpu", verdict.operators_on_cpu, "count", method)
        job.count("partitions", verdict.partitions, "count", method)


def compile_program(job: Job) -> None:
    """Find the C kernels of a profile that wants a C library, and plan its memory; what has none is a warning.

    Nothing for a network that the profile refuses: kernels are written for those that it takes.
    """
    assert job.network is not None and job.verdict is not None
    if "c_library" not in job.target.emit or any(d.severity is Severity.ERROR for d in job.verdict.diagnostics):
        return
    with job.stage("Compile", job.target.id) as summary:
        program = program_of(job)
        if program.refusals:
            job.diagnostics += refusals(program, f"{job.name}.tflite")
            summary.append(f"no C library: {counted(len(program.refusals), 'operator')} without a kernel")
            return
        job.program, job.program_plan = program, program_plan.plan_program(job.network, program)
        planned = job.program_plan.plan
        job.details["memory plan of the C library"] = timeline.draw(planned)
        job.details["memory map of the C library"] = timeline.table(planned)
        summary.append(f"{counted(len(program.routines), 'operator')} in C, arena {format_size(planned.arena_bytes)}")


_IN_ITS_PLACE = "there is no C library, so flash and RAM are those of the model file with this interpreter"


def plan_memory(job: Job) -> None:
    """Lay out the arena and hold flash and RAM against device and budget; over budget is told with the operators.

    What is held is the C library where there is one, else the model file with its interpreter.
    """
    assert job.network is not None and job.content is not None
    with job.stage("Plan", job.target.id) as summary:
        job.plan = arena.plan(job.network)
        held = budgets.budgets(
            job.network,
            job.plan,
            model_bytes=len(job.content),
            target=job.target,
            budget=job.project.budget,
            model_name=f"{job.name}.tflite",
        )
        if job.program is not None:
            held = library_cost.predict(job, held)
        elif "c_library" in job.target.emit and job.target.runtime is not None:
            job.details[INTERPRETER] = f"{job.target.runtime.name}: {_IN_ITS_PLACE}"
        job.measures += held.measures
        job.diagnostics += held.diagnostics
        job.details["memory plan"] = timeline.draw(job.plan)
        job.details["memory map"] = timeline.table(job.plan)
        planned = job.program_plan.plan if job.program_plan is not None else job.plan
        summary.append(f"arena {format_size(planned.arena_bytes)}")


def refuse(job: Job) -> None:
    """Raises RejectedError with all that was found so far, operators and budgets."""
    assert job.verdict is not None
    verdict = job.verdict
    errors = [d for d in (*job.diagnostics, *verdict.diagnostics) if d.severity is Severity.ERROR]
    if errors:
        job.diagnostics += [d for d in verdict.diagnostics if d.severity is not Severity.ERROR]
        job.diagnostics = [d for d in job.diagnostics if d.severity is not Severity.ERROR]
        raise RejectedError(*errors)
    job.diagnostics += verdict.diagnostics


def probe_outputs(project: Project, targets: Sequence[Target]) -> None:
    """Stage nothing in every place: what cannot be written is told before the work. Raises EC630 to EC635."""
    for target in targets:
        with output.staged(project.output / target.id):
            pass


@contextmanager
def staging(job: Job) -> Iterator[Path]:
    """An empty folder beside the target's place."""
    with output.staged(_place(job)) as folder:
        yield folder


def foresee(project: Project, targets: Sequence[Target]) -> None:
    """What is wrong with the app that takes the model in, told before the work, and which names there are not.

    Raises EC570, EC571, EC621, EC691, EC692, EC761.
    """
    if project.min_runtime is not None:
        parse_release(project.min_runtime)
    for target in targets:
        if project.no_rewrite:
            legalizing.chosen_of(target, project.no_rewrite)
        foreseeing.foresee(target, project.emit, project.android)


def review(job: Job) -> None:
    """What emitters would have to say, where nothing is emitted. Raises EC690, EC692, EC694."""
    job.diagnostics += emitting.review(_emission(job, None))


def emit(job: Job, folder: Path, golden: emitting.Golden | None = None) -> None:
    """Write what the target's profile lists into ``folder``; firmware tests itself with ``golden``."""
    with job.stage("Emit", job.target.id) as summary:
        emission = _emission(job, golden)
        job.diagnostics += emitting.review(emission)
        job.artifacts += emitting.emit(emission, folder)
        summary.append(listed(job.artifacts))


def _emission(job: Job, golden: emitting.Golden | None) -> emitting.Emission:
    """All that emitters are given, those that the project asks for among them."""
    assert job.network is not None and job.content is not None and job.plan is not None and job.verdict is not None
    dataset = job.lowered.dataset
    emission = emitting.Emission(
        name=job.name,
        network=job.network,
        content=job.content,
        target=job.target,
        arena_bytes=job.plan.arena_bytes,
        labels=dataset.labels if dataset is not None else labels_of(job.project.data, job.project.base),
        preprocess=job.project.data.preprocess,
        placements=tuple(placed.where for placed in job.verdict.placements if placed.subgraph == 0),
        program=job.program,
        layout=_layout(job),
        golden=golden,
        features=job.features,
    )
    return emitting.with_asked(emission, job.project, job.lowered.source.path, _place(job))


def _layout(job: Job) -> emitting.Layout | None:
    plan = job.program_plan
    if plan is None:
        return None
    return emitting.Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)


def publish(job: Job, folder: Path) -> None:
    """Write the report beside the artifacts and put the folder in place; names that are no text are escaped."""
    if job.lowered.dataset is not None:
        job.details["data"] = dict(job.lowered.dataset.description)
        if job.lowered.dataset.labels and "confusion" in job.details:
            job.details["labels"] = list(job.lowered.dataset.labels)
    report = job.report()
    content = report_json.dumps(report) + "\n"
    texts = {"json": content, "txt": report_text.render(report), "html": _page(job, report, content)}
    for ending, text in texts.items():
        (folder / f"report.{ending}").write_text(text, encoding="utf-8", errors="backslashreplace")
    place = _place(job)
    output.publish(folder, place)
    job.artifacts += [describe(place, f"report.{ending}", "report") for ending in texts]


def _page(job: Job, report: Report, content: str) -> str:
    """The report as a page, drawn once for the same report: pictures take longer than all else of an unchanged build.

    ``content`` is the report as JSON; the page shows no durations.
    """
    told = output.without_durations(content.encode("utf-8", "backslashreplace"))
    return job.memo.of("page", (told,), (), lambda: report_html.render(report))


def write_depfile(file: depfile.Depfile | None, jobs: Sequence[Job], reports: Sequence[Report]) -> None:
    """Name what the outputs were made from, for make and ninja, beside what models before added; None: nothing."""
    if file is None:
        return
    outputs = [
        _place(job) / artifact.path for job, report in zip(jobs, reports, strict=True) for artifact in report.artifacts
    ]
    if outputs:
        file.add(outputs, [name for job in jobs for name in _inputs_of(job)])


def _inputs_of(job: Job) -> Iterator[Path]:
    project, source = job.project, job.lowered.source
    if source.path is not None:
        yield from _files(source.path)
    named = (project.data.source, project.data.labels, project.custom, *_origin_files(project))
    for name in named:
        if name and (project.base / name).exists():
            yield from _files(project.base / name)


def _origin_files(project: Project) -> Iterator[str]:
    seen: dict[str, Any] = {str(origin): None for origin in project.origins.values()}
    yield from seen


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(child for child in path.rglob("*") if child.is_file())
    else:
        yield path


def _place(job: Job) -> Path:
    return job.project.output / job.target.id
