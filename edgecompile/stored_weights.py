"""A job's C program, and what the report says of the forms in which it stores its weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgecompile.core.units import group
from edgecompile.job import Job
from edgecompile.kernels.program import Program
from edgecompile.kernels.stored import Stored, stored_weights
from edgecompile.kernels.weight_forms import DENSE, FORMS
from edgecompile.memory.weighed import compile_weighed


def program_of(job: Job) -> Program:
    """The network in C, weights in the forms that the profile allows, chosen by the project's goal."""
    assert job.network is not None
    program = compile_weighed(
        job.network,
        forms=job.target.weight_forms,
        goal=job.project.optimize,
        kernels=job.target.kernels,
        ram_bytes=_ram_bytes(job),
    )
    if not program.refusals:
        tell(job, stored_weights(program))
    return program


def _ram_bytes(job: Job) -> int | None:
    """What there is for arena, data and stack: the device's or what the budget grants; None: nobody says."""
    known = (job.target.capacity_bytes("ram"), job.project.budget.ram_bytes)
    return min((size for size in known if size is not None), default=None)


def tell(job: Job, stored: Sequence[Stored]) -> None:
    """Layer, form and bytes into the details; the measure ``weights_bytes`` becomes what is stored in C."""
    if all(one.form == DENSE for one in stored):
        return
    job.details["weights of the C library"] = [
        {"layer": one.layer, "form": one.form, "bytes": one.stored_bytes, "dense_bytes": one.dense_bytes}
        for one in stored
    ]
    by_form = {form: sum(one.stored_bytes for one in stored if one.form == form) for form in FORMS}
    told = ", ".join(f"{group(size)} {form}" for form, size in by_form.items() if size)
    saved = sum(one.file_bytes - one.stored_bytes for one in stored if one.form != DENSE)
    for index, measure in enumerate(job.measures):
        if measure.name == "weights_bytes" and measure.value is not None:
            method = f"counted in the C library; bytes of weights by form: {told}"
            job.measures[index] = dataclasses.replace(measure, value=int(measure.value) - saved, method=method)
