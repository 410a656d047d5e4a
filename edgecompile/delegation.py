"""Which delegates take how much of a job's model: the rules of all profiles of its device, and real delegates asked."""

from __future__ import annotations

import dataclasses
from typing import Any

from edgecompile.config import profiles
from edgecompile.core.diagnostic import Severity
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.job import Job
from edgecompile.legalize.check import Verdict, check
from edgecompile.legalize.joins import joins, shattered
from edgecompile.legalize.proof import accepted, compare, differs
from edgecompile.libs import delegates, litert
from edgecompile.sparse_proof import prove_sparse, tell_sparsity

DETAIL = "delegation"
ASKED = "real delegates"
_OF_ROWS = (
    "predicted from the rules of each profile; where a real delegate could be asked here, its answer stands beside"
)


def delegation(job: Job) -> None:
    """Add what cuts the model into parts, and the verdicts of the profile and of those that it names beside it.

    Raises BadInputError EC140 and what else a profile raises that cannot be read.
    """
    assert job.network is not None and job.verdict is not None
    if job.target.placement.fallback is None:
        return
    tell_sparsity(job)
    job.diagnostics += joins(job.network, job.verdict, job.target, f"{job.name}.tflite")
    job.diagnostics += shattered(job.network, job.verdict, job.target, f"{job.name}.tflite")
    if job.target.also_check or job.target.placement.proof:
        others = beside(job.target)
        rows = [_row(job.network, job.target, job.verdict)]
        rows += [_row(job.network, target, check(job.network, target, "")) for target in others]
        job.details[DETAIL] = rows
        job.obtained(DETAIL, _OF_ROWS)


def prove(job: Job) -> None:
    """Ask the real delegates that can be asked here, of this profile and of those beside it; EC755 where they differ.

    What cannot be asked is said in the table: that a library is missing keeps no model from being built. Sparse
    weights are tried on ARM64. Raises RejectedError EC773 where they give other outputs there.
    """
    prove_sparse(job)
    rows = job.details.get(DETAIL)
    if not isinstance(rows, list):
        return
    targets = [job.target, *beside(job.target)]
    told = {target.id: _ask(job, target) for target in targets if target.placement.proof is not None}
    for row, target in zip(rows, targets, strict=True):
        row["real delegate"] = told.get(target.id, "").partition(":")[0]
    if told:
        job.details[ASKED] = told


def beside(target: Target) -> list[Target]:
    """The profiles that a target names beside it, without its equals."""
    others = (profiles.load(name) for name in target.also_check)
    return [other for other in others if (other.family, other.level) != (target.family, target.level)]


def _ask(job: Job, target: Target) -> str:
    assert job.network is not None and job.content is not None and target.placement.proof is not None
    try:
        asked = _asked(job, target.placement.proof, job.content)
    except EdgecompileError as error:
        return f"not asked: {error.diagnostics[0].message}"
    answer = asked.answers[0]
    if answer.error:
        return f"not asked: {answer.error}"
    compared = compare(job.network, target, answer.taken, answer.partitions)
    own = target.id == job.target.id
    if own and answer.partitions is not None:
        job.count("partitions_here", answer.partitions, "count", f"measured with {asked.described} on this machine")
    if compared.agrees:
        return f"agrees: {asked.described}"
    found = differs(compared, job.network, target, asked.described, f"{job.name}.tflite")
    job.diagnostics.append(found if own else dataclasses.replace(found, severity=Severity.NOTE))
    return f"differs: {asked.described}"


def _asked(job: Job, delegate: str, content: bytes) -> delegates.Answers:
    return job.memo.of(
        "delegate",
        (delegate, content, litert.runtimes()),
        (delegates.Answers, delegates.Answer),
        lambda: delegates.ask(delegate, [content]),
    )


def _row(network: Network, target: Target, verdict: Verdict) -> dict[str, Any]:
    total = len(network.main.operators)
    return {
        "profile": target.id,
        "operators taken": f"{len(accepted(verdict, target))} of {total}",
        "parts": verdict.partitions,
        "parts run": verdict.partitions_kept,
        "on the CPU": verdict.operators_on_cpu,
    }
