"""A job's C program, and what the report says of the forms in which it stores its weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgecompile.core.units import group
from edgecompile.ir.layer_names import short_name
from edgecompile.job import Job
from edgecompile.kernels.constants import constant_bytes
from edgecompile.kernels.program import Program, compile_network
from edgecompile.kernels.stored import Stored, stored_weights
from edgecompile.kernels.weight_forms import DENSE, FORMS
from edgecompile.measure.board import code_size
from edgecompile.memory.weighed import compile_weighed

_DETAIL = "weights of the C library"


def program_of(job: Job) -> Program:
    """The network in C, weights in the forms that the profile allows, chosen by the project's goal."""
    assert job.network is not None
    program = compile_weighed(
        job.network,
        forms=job.target.weight_forms,
        goal=job.project.optimize,
        kernels=job.target.kernels,
        ram_bytes=_ram_bytes(job),
        code_bytes=lambda program: _code_bytes(job, program),
    )
    if not program.refusals:
        tell(job, stored_weights(program))
        _tell_of_code(job, program)
    return program


def _tell_of_code(job: Job, program: Program) -> None:
    """Say in how ``weights_bytes`` was obtained where shorter forms are left aside for the code that they take."""
    assert job.network is not None
    short = compile_network(
        job.network, forms=job.target.weight_forms, goal=job.project.optimize, kernels=job.target.kernels
    )
    saved = constant_bytes(program) - constant_bytes(short)
    code = _code_bytes(job, short) - _code_bytes(job, program)
    if not 0 < saved <= code:
        return
    told = f"shorter forms would save {group(saved)} B of them and take {group(code)} B more of code, as predicted"
    for index, measure in enumerate(job.measures):
        if measure.name == "weights_bytes":
            job.measures[index] = dataclasses.replace(measure, method=f"{measure.method}; {told}")


def _code_bytes(job: Job, program: Program) -> int:
    return code_size.predict(program, str(job.target.board.get("core", ""))).size_bytes


def _ram_bytes(job: Job) -> int | None:
    """What there is for arena, data and stack: the device's or what the budget grants; None: nobody says."""
    known = (job.target.capacity_bytes("ram"), job.project.budget.ram_bytes)
    return min((size for size in known if size is not None), default=None)


def tell(job: Job, stored: Sequence[Stored]) -> None:
    """Operator, form and bytes into the details; the measure ``weights_bytes`` becomes what is stored in C."""
    if all(one.form == DENSE for one in stored):
        return
    job.obtained(_DETAIL, "counted in the C library; dense bytes: one weight after the other, rows filled up")
    job.details[_DETAIL] = [
        {
            "#": one.operator,
            "operator": one.label,
            "layer": short_name(one.layer),
            "form": one.form,
            "bytes": one.stored_bytes,
            "dense_bytes": one.dense_bytes,
        }
        for one in stored
    ]
    by_form = {form: sum(one.stored_bytes for one in stored if one.form == form) for form in FORMS}
    told = ", ".join(f"{group(size)} {form}" for form, size in by_form.items() if size)
    saved = sum(one.file_bytes - one.stored_bytes for one in stored if one.form != DENSE)
    for index, measure in enumerate(job.measures):
        if measure.name == "weights_bytes" and measure.value is not None:
            method = f"counted in the C library; bytes of weights by form: {told}"
            job.measures[index] = dataclasses.replace(measure, value=int(measure.value) - saved, method=method)
