"""Weights stored sparse: why a pruned model gains nothing; and one that should, held against a dense one on ARM64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import MissingError, RejectedError
from edgecompile.ir import writer
from edgecompile.ir.network import Network
from edgecompile.ir.sparse import dense_twin, has_sparse
from edgecompile.job import Job
from edgecompile.legalize.rewrites.sparse_weights import in_form
from edgecompile.legalize.sparse_form import LEAST_ZEROS, find, share_of_zeros
from edgecompile.libs import litert
from edgecompile.libs.arm64 import invoke_arm64, time_arm64
from edgecompile.libs.arm64_setup import RUNTIMES, Arm64, ready
from edgecompile.lowering import noise_for
from edgecompile.verify.arm64 import Compared, compare, differs

REWRITE = "sparse_weights"
DETAIL = "sparse weights"
# The one whose sparse kernels were met: tflite-runtime 2.14.0 takes such a model and computes it densely.
RUNTIME = "ai-edge-litert"
# Sparse kernels took 0.45 to 0.65 of the time wherever they ran, and 0.97 to 1.05 where they did not.
MOST_OF_DENSE = 0.9
_SAMPLES, _RUNS = 2, 5
_OBSTACLES_TOLD = 4


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Outputs of the sparse model on ARM64 against the dense one's here; processor seconds of both on ARM64."""

    found: tuple[Compared, ...]
    dense_s: float
    sparse_s: float

    @property
    def ratio(self) -> float:
        """Sparse to dense."""
        return self.sparse_s / self.dense_s

    @property
    def skips_zeros(self) -> bool:
        """The runtime computed without the zeros."""
        return self.ratio <= MOST_OF_DENSE

    @property
    def line(self) -> str:
        """The figures in words."""
        times = f"{self.sparse_s * 1e3:.3g} ms against {self.dense_s * 1e3:.3g} ms dense"
        return f"{', '.join(map(str, self.found))}; {times} by {RUNTIME} {RUNTIMES[RUNTIME]} on emulated ARM64"


def tell_sparsity(job: Job) -> None:
    """EC590 for a pruned model whose zeros XNNPACK would compute with, and why it would."""
    assert job.network is not None
    if REWRITE not in job.target.rewrites or REWRITE in job.project.no_rewrite or has_sparse(job.network):
        return
    zeros, weights = share_of_zeros(job.network.main)
    whole, pruned = _integers(job.network)
    if pruned and pruned >= LEAST_ZEROS * whole:
        why: tuple[str, ...] = ("XNNPACK skips zeros in float32 and float16 only, this model computes in integers",)
        job.diagnostics.append(_no_gain(job, pruned / whole, why, Severity.NOTE))
    elif weights and zeros >= LEAST_ZEROS * weights:
        why = find(in_form(job.network, job.target).main).obstacles
        why = why or ("the zeros lie in convolutions outside of the part that XNNPACK can compute sparsely",)
        job.diagnostics.append(_no_gain(job, zeros / weights, why, Severity.WARNING))


def prove_sparse(job: Job) -> None:
    """Run a model with sparse weights on ARM64: outputs, and whether the runtime skips the zeros there.

    EC591 where that cannot be run here, EC592 where nothing is gained. Raises RejectedError EC773 for other outputs.
    """
    assert job.network is not None and job.content is not None
    if REWRITE not in job.target.rewrites or not has_sparse(job.network):
        return
    name = f"{job.name}.tflite"
    with job.stage("ARM64", "sparse weights") as summary:
        try:
            if job.cache is None:
                raise MissingError(Diagnostic(code="EC770", message="the ARM64 runtime is not set up"))
            proof = prove(job.network, job.content, ready(job.cache), job.project.seed, name)
        except MissingError as error:
            job.diagnostics.append(_unproven(error.diagnostics[0], name))
            summary.append("not run: " + error.diagnostics[0].message)
            return
        summary.append(f"{proof.ratio:.2f} of the dense model's time, outputs within bounds")
    job.details[DETAIL] = proof.line
    method = (
        f"measured: least of {_RUNS} runs, sparse to dense, {RUNTIME} {RUNTIMES[RUNTIME]}, emulated ARM64, no phone"
    )
    job.count("sparse_time_ratio", round(proof.ratio, 3), "ratio", method)
    if not proof.skips_zeros:
        job.diagnostics.append(_as_slow(proof, name))


def prove(network: Network, content: bytes, arm64: Arm64, seed: int, name: str) -> Proof:
    """Hold a model with sparse weights against its dense twin. Raises EC773, EC772, MissingError EC190."""
    dense = writer.write(dense_twin(network))
    runtime = next((one for one in litert.runtimes() if one.name == RUNTIME), None)
    if runtime is None or not runtime.available:
        raise litert.missing_interpreter(RUNTIME)
    inputs = noise_for(network, seed, _SAMPLES)
    here = litert.invoke(dense, inputs, runtime=runtime, real=True, name=name, workers=1)
    there = invoke_arm64(content, inputs, arm64=arm64, runtime=RUNTIME, real=True, name=name)
    found = compare(here, there, exact=False)
    if not all(one.holds for one in found):
        told = differs(found, here, there, name).diagnostics[0]
        help = (*told.help, f"leave the weights dense: --no-rewrite {REWRITE}")
        raise RejectedError(
            Diagnostic(code="EC773", message=told.message, location=told.location, notes=told.notes, help=help)
        )
    dense_s, sparse_s = (
        min(time_arm64(one, arm64=arm64, runtime=RUNTIME, runs=_RUNS, name=name)) for one in (dense, content)
    )
    return Proof(found=found, dense_s=dense_s, sparse_s=sparse_s)


def _integers(network: Network) -> tuple[int, int]:
    """Weights of 1x1 convolutions on integers, and how many of them are zero."""
    main = network.main
    whole = zeros = 0
    for operator in main.operators:
        weights = main.tensors[operator.inputs[1]] if operator.name == "CONV_2D" else None
        if weights is None or weights.dtype != "int8" or weights.shape[1:3] != (1, 1) or weights.array is None:
            continue
        whole += weights.array.size
        zeros += int(weights.array.size - np.count_nonzero(weights.array))
    return whole, zeros


def _no_gain(job: Job, share: float, why: tuple[str, ...], severity: Severity) -> Diagnostic:
    notes = [
        "limit: a part from a 3x3 convolution of stride 2 on 3 channels to a mean over height and width, in float",
        *(f"found: {one}" for one in why[:_OBSTACLES_TOLD]),
    ]
    notes += [f"{len(why) - _OBSTACLES_TOLD} more"] if len(why) > _OBSTACLES_TOLD else []
    return Diagnostic(
        code="EC590",
        severity=severity,
        message=f"{share:.0%} of the weights of 1x1 convolutions are zero, and XNNPACK computes with them all",
        location=Location(file=f"{job.name}.tflite"),
        notes=(*notes, "source: google/XNNPACK, src/subgraph.c, xnn_check_nchw_compatibility"),
        help=(
            "build it in float: --numerics float16"
            if severity is Severity.NOTE
            else "change the layers that are named, in Keras, and train again; the zeros themselves may stay",
            "or take the model as it is: its zeros cost nothing but the time that they could save",
        ),
    )


def _unproven(why: Diagnostic, name: str) -> Diagnostic:
    return Diagnostic(
        code="EC591",
        severity=Severity.WARNING,
        message="the sparse weights were not tried on ARM64",
        location=Location(file=name),
        notes=(
            f"not run: {why.message}",
            "LiteRT 1.4.0 and 2.0.3 computed some sparse models wrongly on ARM64, and rightly on x86",
        ),
        help=(*why.help, "or leave the weights dense: --no-rewrite sparse_weights"),
    )


def _as_slow(proof: Proof, name: str) -> Diagnostic:
    return Diagnostic(
        code="EC592",
        severity=Severity.WARNING,
        message="the ARM64 runtime gains nothing from the sparse weights",
        location=Location(file=name),
        notes=(f"limit: {MOST_OF_DENSE} of the dense model's time, found {proof.ratio:.2f}", proof.line),
        help=("the file is smaller all the same; for a file without sparse constants: --no-rewrite sparse_weights",),
    )
