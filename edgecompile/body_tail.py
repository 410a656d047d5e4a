"""The part of a model that its accelerator runs, and what is left to the CPU behind it, as two files that run in a row.

Whoever calls the accelerator through a library of its own runs the body with it, and the tail with whatever there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edgecompile.core.artifact import describe
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import rejected
from edgecompile.core.units import counted
from edgecompile.ir import writer
from edgecompile.ir.network import Subgraph
from edgecompile.ir.segment import closure, crossing, segments, separable
from edgecompile.job import Job
from edgecompile.legalize.naming import ranges
from edgecompile.libs import litert
from edgecompile.lowering import Array, noise_for
from edgecompile.verify.verify import resolver_of

REWRITE = "separate_tail"
PARTS = ("body", "tail")
SAMPLES = 8


def write_body_and_tail(job: Job, folder: Path) -> None:
    """``NAME_body.tflite`` and ``NAME_tail.tflite`` beside the whole, where operators stay on the CPU behind it.

    Nothing for a profile that does not ask for ``separate_tail``, a user who refuses it, or a pipeline of segments,
    which cuts the model otherwise.
    """
    wanted = REWRITE in job.target.rewrites and REWRITE not in job.project.no_rewrite and job.project.segments == 1
    cut = _cut(job) if wanted else None
    if cut is None:
        return
    assert job.network is not None
    count = len(job.network.main.operators)
    for name, part in zip(PARTS, segments(job.network, (cut,)), strict=True):
        path = f"{job.name}_{name}.tflite"
        (folder / path).write_bytes(writer.write(part))
        job.artifacts.append(describe(folder, path, "tflite"))
    job.details["body and tail"] = [
        f"{job.name}_body.tflite: operators {ranges(range(cut))}, for {job.target.placement.accelerator}",
        f"{job.name}_tail.tflite: operators {ranges(range(cut, count))}, for {job.target.placement.fallback}",
    ]


def verify_body_and_tail(job: Job, folder: Path) -> None:
    """Run body, tail and whole on the same samples. Raises RejectedError EC724 where an output differs in any bit."""
    lines, runtime = job.details.get("body and tail"), litert.choose(job.target.judge)
    resolver = resolver_of(runtime.name)
    if not lines or not runtime.available:
        return
    assert job.network is not None and job.content is not None
    x = [array[:SAMPLES] for array in job.lowered.inputs] or list(noise_for(job.network, job.project.seed, SAMPLES))
    name, main = f"{job.name}.tflite", job.network.main
    # Real values for quantized inputs are floats from here on: what crosses the cut is in the tensors' own types.
    pairs = zip(x, main.inputs, strict=True)
    x = [a.astype(np.float32) if main.tensors[i].quantization is not None else a for a, i in pairs]
    known = dict(zip(_names(main, main.inputs), x, strict=True))

    def run(content: bytes, given: list[Array], name: str) -> tuple[Array, ...]:
        def work() -> tuple[Array, ...]:
            return litert.invoke(content, given, runtime=runtime, resolver=resolver, name=name).arrays

        return job.memo.of("run", (content, given, runtime, resolver), (), work)

    whole = run(job.content, x, name)
    for part, network in zip(PARTS, segments(job.network, (_cut(job) or 0,)), strict=True):
        content = (folder / f"{job.name}_{part}.tflite").read_bytes()
        given = [known[tensor] for tensor in _names(network.main, network.main.inputs)]
        made = run(content, given, f"{job.name}_{part}.tflite")
        known |= dict(zip(_names(network.main, network.main.outputs), made, strict=True))
    outputs = _names(main, main.outputs)
    different = [
        tensor for tensor, array in zip(outputs, whole, strict=True) if not np.array_equal(known[tensor], array)
    ]
    if different:
        raise rejected(
            "EC724",
            "body and tail, run in a row, do not give what the whole gives",
            Location(file=name),
            notes=tuple(f"output `{tensor}` differs" for tensor in different),
            help=(f"build with `--no-rewrite {REWRITE}`", "please send the model to the maintainers of edgecompile"),
        )
    lines.append(f"run in a row they give every bit that the whole gives: {counted(len(x[0]), 'sample')}, {runtime}")


def _cut(job: Job) -> int | None:
    """Where the tail begins; None where there is none, or the operators do not stand in that order."""
    assert job.network is not None and job.verdict is not None
    main, there = job.network.main, job.target.placement.accelerator
    running = [p.operator for p in job.verdict.placements if p.subgraph == 0 and p.where == there]
    body = closure(main, running)
    if not running or len(body) == len(main.operators) or not separable(main) or max(body) >= len(body):
        return None
    # Body and tail meet by name.
    known = _names(main, {*main.inputs, *main.outputs, *crossing(main, len(body))})
    return len(body) if "" not in known and len(set(known)) == len(known) else None


def _names(subgraph: Subgraph, tensors: Iterable[int]) -> list[str]:
    return [subgraph.tensors[tensor].name for tensor in tensors]
