"""What the C library of a job takes of flash and RAM, predicted before there is one and measured in its image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import RejectedError
from edgecompile.core.report import Measure
from edgecompile.core.units import group
from edgecompile.ir.layer_names import short_name_at
from edgecompile.job import Job
from edgecompile.kernels.constants import holders
from edgecompile.kernels.program import Program
from edgecompile.measure.board import code_size
from edgecompile.measure.board.code_size import CodeSize
from edgecompile.measure.board.figures import Figures
from edgecompile.measure.board.image import CROSS_COMPILER
from edgecompile.memory.budgets import Budgeted, hold
from edgecompile.memory.demand import Demand
from edgecompile.memory.library import by_library
from edgecompile.memory.shared import SharedPlan

_FLASH, _LAYERS = "EC601", "flash of the C library"
# What the interpreter would take of the same model: told beside the library's own, held against nothing.
_COMPARED = {name: f"interpreter_{name}" for name in ("arena_bytes", "flash_bytes", "ram_bytes")}


def predict(job: Job, interpreted: Budgeted) -> Budgeted:
    """Flash and RAM of the job's program in place of those of the interpreter, which stay as a comparison.

    Constants and arena are those of the library; code and stack are predicted from measured libraries.
    """
    program, planned = _program(job)
    found = code_size.predict(program, str(job.target.board.get("core", "")))
    demand = by_library(
        program,
        planned.plan,
        code_bytes=found.size_bytes,
        data_bytes=found.data_bytes,
        stack_bytes=found.stack_bytes,
        flash_method=f"predicted: constants, counted, plus {group(found.size_bytes)} B of code ({found.basis})",
        ram_method=f"predicted: the arena, planned, plus {group(found.stack_bytes)} B of stack ({found.basis})",
    )
    held = _softened(_hold(job, demand, planned), found)
    job.details[_LAYERS] = _by_layer(program, found.by_operator)
    job.obtained(
        _LAYERS, f"in bytes: constants are counted; code, without what layers share, is predicted ({found.basis})"
    )
    compared = [replace(m, name=_COMPARED[m.name], limit=None) for m in interpreted.measures if m.name in _COMPARED]
    return Budgeted(measures=(_arena(planned), *held.measures, *compared), diagnostics=held.diagnostics)


def hold_measured(job: Job, figures: Figures) -> None:
    """Put what was measured in place of what was predicted. Raises RejectedError EC600 to EC602 over a limit."""
    program, planned = _program(job)
    flash, ram, stack = figures.measures()
    arena = planned.plan.arena_bytes
    demand = by_library(
        program,
        planned.plan,
        code_bytes=figures.flash_bytes - sum(holder.size_bytes for holder in holders(program)),
        data_bytes=max(figures.ram_bytes - arena, 0),
        stack_bytes=figures.stack.size_bytes or 0,
        flash_method=flash.method,
        ram_method=ram.method,
    )
    held = _hold(job, demand, planned)
    job.diagnostics = [d for d in job.diagnostics if not (d.code == _FLASH and d.severity is Severity.WARNING)]
    for measure in (*held.measures, stack):
        _put(job, measure)
    if held.diagnostics:
        raise RejectedError(*held.diagnostics)


def _program(job: Job) -> tuple[Program, SharedPlan]:
    assert job.program is not None and job.program_plan is not None
    return job.program, job.program_plan


def _softened(held: Budgeted, found: CodeSize) -> Budgeted:
    """Too much flash is only a warning where it would fit if the prediction were wrong by thrice its mean error."""
    flash = next(measure for measure in held.measures if measure.name == "flash_bytes")
    least = int(flash.value or 0) - found.size_bytes + found.least_bytes
    if flash.limit is None or least > flash.limit:
        return held
    note = (
        f"the code is predicted, {100 * found.error_ratio:.0f} % off on average: a build measures it where "
        f"`{CROSS_COMPILER}` is installed"
    )
    diagnostics = tuple(
        replace(d, severity=Severity.WARNING, notes=(*d.notes, note)) if d.code == _FLASH else d
        for d in held.diagnostics
    )
    return Budgeted(measures=held.measures, diagnostics=diagnostics)


def _arena(planned: SharedPlan) -> Measure:
    method = f"planned: {planned.plan.method}, tensors in place and overlapping, scratch inside"
    return Measure(name="arena_bytes", value=planned.plan.arena_bytes, unit="bytes", method=method)


def _hold(job: Job, demand: Demand, planned: SharedPlan) -> Budgeted:
    assert job.network is not None
    return hold(
        demand,
        job.network,
        planned.plan,
        target=job.target,
        budget=job.project.budget,
        model_name=f"{job.name}.tflite",
    )


def _by_layer(program: Program, code: Mapping[int, float]) -> list[dict[str, Any]]:
    """Bytes of constants, counted, and of code without what layers share, predicted; layers with most first."""
    constants = {holder.operator: holder.size_bytes for holder in holders(program)}
    graph = program.subgraph
    rows = [
        {
            "#": index,
            "operator": operator.label,
            "layer": short_name_at(graph, index),
            "constants": constants.get(index, 0),
            "code": round(code.get(index, 0)),
        }
        for index, operator in enumerate(graph.operators)
        if index in constants or index in code
    ]
    return sorted(rows, key=lambda row: -int(row["constants"]) - int(row["code"]))


_UNIT = {"bytes": " B"}


def _put(job: Job, new: Measure) -> None:
    """Add a measure; one that was only predicted gives way, and its value is told."""
    for index, old in enumerate(job.measures):
        if old.name == new.name:
            told = f"; predicted were {group(int(old.value))}{_UNIT.get(old.unit, '')}" if old.value is not None else ""
            job.measures[index] = replace(new, limit=new.limit or old.limit, method=new.method + told)
            return
    job.measures.append(new)
