"""Run what was emitted for one target's job, and conclude from it; ``pipeline`` says when."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import MissingError, RejectedError
from edgecompile.emit.c_names import identifier
from edgecompile.ir import reader
from edgecompile.job import Job
from edgecompile.libs import litert
from edgecompile.lowering import AS_FOUND, Array, noise_for
from edgecompile.verify import c_library
from edgecompile.verify import verify as verifying


def verify(job: Job, required: bool) -> None:
    """Run what was emitted and score it.

    Raises RejectedError when it fails, MissingError when it is required and cannot run here.
    """
    assert job.content is not None
    lowered = job.lowered
    with job.stage("Verify", job.target.judge) as summary:
        x, reference = (lowered.inputs, lowered.reference) if lowered.reference else _as_it_was(job)
        found = verifying.verify(
            job.content,
            job.target,
            x=x,
            y=lowered.truth,
            reference=reference,
            accuracy=job.project.accuracy,
            base=job.project.base,
            name=f"{job.name}.tflite",
            held_out=lowered.held_out,
            progress=job.progress,
            against="the float model" if lowered.reference else "the model as given",
        )
        summary.append(found.summary)
    # What a .tflite is held against is itself as it was given, which need not be a float model.
    job.measures += [m for m in found.measures if lowered.reference or m.name != "metric_float"]
    job.details |= found.details
    if found.runtime:
        job.versions["verified by"] = found.runtime
    _conclude(job, found, required)


def _conclude(job: Job, found: verifying.Verification, required: bool) -> None:
    if found.status == verifying.FAILED:
        job.diagnostics += [d for d in found.diagnostics if d.severity is not Severity.ERROR]
        raise RejectedError(*(d for d in found.diagnostics if d.severity is Severity.ERROR))
    if found.status == verifying.SKIPPED and required:
        raise MissingError(*(dataclasses.replace(d, severity=Severity.ERROR) for d in found.diagnostics))
    job.diagnostics += found.diagnostics
    job.details["verification"] = f"{found.status}: {found.summary}" if found.status != "skipped" else found.summary
    if found.status == verifying.VERIFIED:
        job.status = "verified"


def verify_program(job: Job, folder: Path, required: bool) -> None:
    """Run the C library on this machine beside the reference, where one was emitted.

    Raises RejectedError when a result differs, MissingError when it is required and cannot run here.
    """
    if job.program is None or job.network is None:
        return
    name = identifier(job.name)
    with job.stage("Verify C", job.target.judge) as summary:
        x = job.lowered.inputs or noise_for(job.network, job.project.seed)
        found = c_library.verify_c(folder, name, job.network, job.program, x, f"{job.name}.tflite")
        summary.append(found.summary)
    job.details["verification of the C library"] = found.summary
    if found.status == verifying.FAILED:
        raise RejectedError(*found.diagnostics)
    if found.status == verifying.SKIPPED and required:
        raise MissingError(*(dataclasses.replace(d, severity=Severity.ERROR) for d in found.diagnostics))
    job.diagnostics += found.diagnostics


def _as_it_was(job: Job) -> tuple[tuple[Array, ...], tuple[Array, ...] | None]:
    """Inputs for a .tflite, held-out or noise, and what it gave before it was optimized; None where it did not run."""
    original = job.lowered.content[AS_FOUND]
    runtime = litert.choose(job.target.judge)
    x = job.lowered.inputs or noise_for(reader.read(original), job.project.seed)
    if not runtime.available:
        return x, None
    resolver = verifying.resolver_of(runtime.name)
    try:
        given = litert.invoke(original, x, runtime=runtime, resolver=resolver, real=True, name=job.lowered.source.name)
    except RejectedError as error:
        # Versions of operators that are newer than the interpreter here; a rewrite may have mended what is emitted.
        if error.diagnostics[0].code != "EC702":
            raise
        return x, None
    return x, given.real()
