"""Hold a job's model to the least runtime that the app may meet, and say which one it needs."""

from __future__ import annotations

from edgecompile.ir import reader, writer
from edgecompile.ir.runtimes import least_runtime
from edgecompile.job import Job
from edgecompile.legalize.islands import refused_islands
from edgecompile.legalize.runtime import lower_for, parse_release, shown, too_new


def hold_runtime(job: Job) -> None:
    """Lower operator versions where ``min_runtime`` asks for it, and tell the runtime that the file needs, or that
    TensorFlow Lite refuses it (EC511).

    Raises BadInputError EC761 for a release that there is not, RejectedError EC758 for operators that are too new.
    """
    assert job.network is not None
    job.diagnostics += refused_islands(job.network, job.target, f"{job.name}.tflite")
    if job.project.min_runtime is not None:
        release = parse_release(job.project.min_runtime)
        network, lowered = lower_for(job.network, job.target, release)
        if lowered:
            job.content = writer.write(network)
            job.network = reader.read(job.content, f"{job.name}.tflite")
            job.details["operator versions"] = f"{lowered} lowered for TensorFlow Lite {shown(release)}"
        error = too_new(job.network, release, f"{job.name}.tflite")
        if error is not None:
            raise error
    if job.target.model_metadata:
        least, _ = least_runtime(job.network)
        job.details["least runtime"] = f"TensorFlow Lite {shown(least)}, by the versions of its operators"
