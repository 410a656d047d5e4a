"""What cuts a model into parts, and how many parts would be left without each of the causes."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Tensor
from edgecompile.ir.partition import cut
from edgecompile.legalize.check import Verdict
from edgecompile.legalize.naming import ranges
from edgecompile.legalize.proof import accepted

_CAUSES_TOLD = 6


def joins(network: Network, verdict: Verdict, target: Target, model_name: str) -> tuple[Diagnostic, ...]:
    """EC751 for a model that an accelerator with a fallback runs in several parts; nothing for one that it runs whole.

    A cause is what the refusals of one kind of operator have in common. Every change between accelerator and CPU copies
    tensors and waits, so that each part costs time whatever it computes.
    """
    placement = target.placement
    if placement.fallback is None or verdict.partitions < 2:
        return ()
    running = accepted(verdict, target)
    causes = _causes(network, running)
    told = [(name, indices, _parts(network, running | set(indices))) for name, indices in causes.items()]
    told.sort(key=lambda one: (one[2], one[1]))
    notes = [
        f"`{name}` ({'operator' if len(indices) == 1 else 'operators'} {ranges(indices)}): "
        f"{_counted(left)} if {placement.accelerator} took {'it' if len(indices) == 1 else 'them'}"
        for name, indices, left in told[:_CAUSES_TOLD]
    ]
    notes += [f"{len(told) - _CAUSES_TOLD} more kinds of operators"] if len(told) > _CAUSES_TOLD else []
    return (
        Diagnostic(
            code="EC751",
            severity=Severity.WARNING,
            message=f"the model falls into {verdict.partitions} parts on {placement.accelerator}",
            location=Location(file=model_name),
            notes=(*notes, *_kept(verdict, target)),
            help=_help(told, verdict.partitions),
        ),
    )


def shattered(network: Network, verdict: Verdict, target: Target, model_name: str) -> tuple[Diagnostic, ...]:
    """EC759 for a dynamic-range model that its operators with quantized weights cut into more parts."""
    running = accepted(verdict, target)
    main = network.main
    hybrid = [
        index
        for index, operator in enumerate(main.operators)
        if index not in running and _is_hybrid(main.inputs_of(operator))
    ]
    if target.placement.fallback is None or verdict.partitions < 2 or not hybrid:
        return ()
    left = _parts(network, running | set(hybrid))
    if left >= verdict.partitions:
        return ()
    return (
        Diagnostic(
            code="EC759",
            severity=Severity.WARNING,
            message=f"dynamic range falls into {verdict.partitions} parts on {target.placement.accelerator}",
            location=Location(file=model_name, operator=hybrid[0]),
            notes=(f"operators with float inputs and 8-bit weights cut it: {ranges(hybrid)}", f"without: {left}"),
            help=("convert with `--numerics int8` and data, or with `--numerics float16`, which needs none",),
        ),
    )


def _is_hybrid(inputs: Sequence[Tensor | None]) -> bool:
    data, weights = (*inputs, None, None)[:2]
    if data is None or weights is None:
        return False
    return data.dtype == "float32" and weights.is_constant and weights.dtype in ("int8", "int4")


def _causes(network: Network, running: set[int]) -> dict[str, list[int]]:
    causes: dict[str, list[int]] = {}
    for index, operator in enumerate(network.main.operators):
        if index not in running:
            causes.setdefault(operator.label, []).append(index)
    return causes


def _parts(network: Network, running: set[int]) -> int:
    supported = [index in running for index in range(len(network.main.operators))]
    return sum(partition.accelerated for partition in cut(network.main, supported))


def _kept(verdict: Verdict, target: Target) -> tuple[str, ...]:
    if verdict.partitions_kept == verdict.partitions:
        return ()
    run = "runs" if verdict.partitions_kept == 1 else "run"
    where = target.placement.accelerator
    return (f"only {verdict.partitions_kept} of the parts {run} on {where}, the others on the CPU",)


def _help(told: Sequence[tuple[str, list[int], int]], partitions: int) -> tuple[str, ...]:
    best = [name for name, _, left in told if left == told[0][2]] if told and told[0][2] < partitions else []
    if not best:
        return ("no single kind of operator joins parts: replace those reported together",)
    names = ", ".join(f"`{name}`" for name in best[:3])
    return (f"replace {names} first: that leaves {_counted(told[0][2])}",)


def _counted(parts: int) -> str:
    return f"{parts} part{'s' if parts != 1 else ''}"
