"""Run what was emitted for one target's job, and conclude from it; ``pipeline`` says when."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edgecompile.cache.identity import program as program_identity
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import MissingError, RejectedError
from edgecompile.core.report import Measure
from edgecompile.core.units import group
from edgecompile.emit.c_names import identifier
from edgecompile.emit.front_end import KERNEL
from edgecompile.ir import reader
from edgecompile.job import Job
from edgecompile.libs import litert, programs
from edgecompile.lowering import AS_FOUND, Array, noise_for
from edgecompile.verify import c_features, c_harness, c_library
from edgecompile.verify import verify as verifying


def verify(job: Job, required: bool) -> None:
    """Run what was emitted and score it.

    Raises RejectedError when it fails, MissingError when it is required and cannot run here.
    """
    assert job.content is not None
    lowered = job.lowered
    with job.stage("Verify", job.target.judge) as summary:
        x, reference = (lowered.inputs, lowered.reference) if lowered.reference else _as_it_was(job)
        found = _verified(job, job.content, x, reference)
        summary.append(found.summary)
    # What a .tflite is held against is itself as it was given, which need not be a float model.
    job.measures += [m for m in found.measures if lowered.reference or m.name != "metric_float"]
    job.details |= found.details
    if "agreement" in found.details:
        job.obtained("agreement", _told_agreement(found.runtime, len(x[0]), lowered.held_out))
    if found.runtime:
        job.versions["verified by"] = found.runtime
    _conclude(job, found, required)


def _told_agreement(runtime: str, samples: int, held_out: bool) -> str:
    kind = "held-out samples" if held_out else "samples of seeded noise"
    return (
        f"measured: what {runtime} gives for {group(samples)} {kind}, against the model before it was compiled; a step "
        "is the difference between neighbouring integers of the output"
    )


def _verified(
    job: Job, content: bytes, x: tuple[Array, ...], reference: tuple[Array, ...] | None
) -> verifying.Verification:
    """The verification, done once for the same artifact, samples and interpreters."""
    project, lowered, name = job.project, job.lowered, f"{job.name}.tflite"
    against = "the float model" if lowered.reference else "the model as given"

    def work() -> verifying.Verification:
        return verifying.verify(
            content,
            job.target,
            x=x,
            y=lowered.truth,
            reference=reference,
            accuracy=project.accuracy,
            base=project.base,
            name=name,
            held_out=lowered.held_out,
            progress=job.progress,
            against=against,
        )

    if ":" in (project.accuracy.metric or ""):  # the user's own function: it may change where nobody looks
        return work()
    samples = (x, lowered.truth, reference, lowered.held_out)
    inputs = (content, job.target.judge, litert.candidates(job.target.judge), samples, project.accuracy, name, against)
    return job.memo.of("verify", inputs, (verifying.Verification, Measure), work, keep=_is_verified)


def _is_verified(found: verifying.Verification | c_library.CVerification) -> bool:
    """Failures are looked at again, and what could not run here may be installed meanwhile."""
    return found.status == verifying.VERIFIED


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
        found = _verified_program(job, folder, name, x)
        summary.append(found.summary)
    job.details["verification of the C library"] = found.summary
    if found.status == verifying.FAILED:
        raise RejectedError(*found.diagnostics)
    if found.status == verifying.SKIPPED and required:
        raise MissingError(*(dataclasses.replace(d, severity=Severity.ERROR) for d in found.diagnostics))
    job.diagnostics += found.diagnostics


def verify_features(job: Job, folder: Path, required: bool) -> None:
    """Run the front end for sound on this machine beside its twin, where one was emitted.

    Raises RejectedError when a value differs, MissingError when it is required and cannot run here.
    """
    name = identifier(job.name)
    front_end = job.front_end
    if front_end is None or not (folder / f"{name}_features.c").is_file():
        return
    with job.stage("Verify C", "features") as summary:
        found = _verified_features(job, folder, name, front_end)
        summary.append(found.summary)
    job.details["verification of the features"] = found.summary
    if found.status == verifying.FAILED:
        raise RejectedError(*found.diagnostics)
    if found.status == verifying.SKIPPED and required:
        raise programs.missing_program("gcc", "to verify the features in C")


def _verified_features(job: Job, folder: Path, name: str, front_end: c_features.FrontEnd) -> c_library.CVerification:
    """The proof of the front end, done once for the same sources and compiler."""
    paths = (f"{name}_features.h", f"{name}_features.c", f"kernels/{KERNEL}.h", "kernels/rounding.h")
    compiler = c_harness.compiler()
    return job.memo.of(
        "verify features",
        ([(folder / path).read_bytes() for path in paths], front_end, compiler and program_identity(compiler), name),
        (c_library.CVerification,),
        lambda: c_features.verify_on_host(folder, name, front_end, f"{job.name}.tflite"),
        keep=_is_verified,
    )


def _verified_program(job: Job, folder: Path, name: str, x: tuple[Array, ...]) -> c_library.CVerification:
    """The proof of the C library, done once for the same sources, samples, compiler and interpreter."""
    assert job.network is not None and job.program is not None
    network, program, model = job.network, job.program, f"{job.name}.tflite"
    used = tuple(array[: c_library.SAMPLES] for array in x)
    names = [file.path for file in job.artifacts if file.kind in ("c_source", "c_header")]
    sources = [(path, (folder / path).read_bytes()) for path in names]
    compiler = c_harness.compiler()
    tools = (compiler and program_identity(compiler), litert.choose(litert.MICRO))
    return job.memo.of(
        "verify c",
        (job.content, sources, used, tools, name),
        (c_library.CVerification,),
        lambda: c_library.verify_c(folder, name, network, program, used, model),
        keep=_is_verified,
    )


def _as_it_was(job: Job) -> tuple[tuple[Array, ...], tuple[Array, ...] | None]:
    """Inputs for a .tflite, held-out or noise, and what it gave before it was optimized; None where it did not run."""
    original = job.lowered.content[AS_FOUND]
    runtime = litert.choose(job.target.judge)
    x = job.lowered.inputs or noise_for(reader.read(original), job.project.seed)
    if not runtime.available:
        return x, None
    resolver = verifying.resolver_of(runtime.name)
    name = job.lowered.source.name
    try:
        real = job.memo.of(
            "as it was",
            (original, x, runtime, resolver),
            (),
            lambda: litert.invoke(original, x, runtime=runtime, resolver=resolver, real=True, name=name).real(),
        )
    except RejectedError as error:
        # Versions of operators that are newer than the interpreter here; a rewrite may have mended what is emitted.
        if error.diagnostics[0].code != "EC702":
            raise
        return x, None
    return x, real
