"""Which operators run together on an accelerator, as TFLite's delegates cut a graph.

TFLite grows one partition at a time: the first operator whose inputs are all there says
whether it is of the accelerated or the other kind, and every operator of that kind whose
inputs are there joins, until none is left (``PartitionGraphIntoIndependentNodeSubsets`` in
``lite/graph_info.cc``). It goes by dependencies, not by the order of the file: a branch that does not
need an operator of the other kind stays in the partition even when it stands later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgecompile.core.target import Placement
from edgecompile.ir.network import Subgraph


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Operators (indices, in order of execution) that run together."""

    accelerated: bool
    operators: tuple[int, ...]


def cut(subgraph: Subgraph, supported: Sequence[bool]) -> tuple[Partition, ...]:
    """Partitions in the order in which they run; ``supported`` says of each operator whether it is accelerated."""
    computed = {tensor for operator in subgraph.operators for tensor in operator.outputs}
    waiting = list(range(len(subgraph.operators)))
    partitions: list[Partition] = []
    while waiting:
        partition, waiting = _grow(subgraph, supported, waiting, computed)
        if not partition.operators:
            break
        partitions.append(partition)
    return tuple(partitions)


def kept(partitions: Sequence[Partition], placement: Placement) -> tuple[Partition, ...]:
    """The accelerated partitions that the target really runs: all, or the first or largest ``max_partitions``."""
    accelerated = [partition for partition in partitions if partition.accelerated]
    if placement.keep == "largest":
        accelerated.sort(key=lambda partition: -len(partition.operators))
    return tuple(accelerated[: placement.max_partitions])


def _grow(
    subgraph: Subgraph, supported: Sequence[bool], waiting: list[int], absent: set[int]
) -> tuple[Partition, list[int]]:
    """One partition, and the operators left; tensors that it computes are taken out of ``absent``."""
    kind: bool | None = None
    members: list[int] = []
    grown = True
    while grown:
        grown, left = False, []
        for index in waiting:
            operator = subgraph.operators[index]
            ready = absent.isdisjoint(operator.inputs)
            if ready and kind is None:
                kind = supported[index]
            if not ready or supported[index] != kind:
                left.append(index)
                continue
            members.append(index)
            absent.difference_update(operator.outputs)
            grown = True
        waiting = left
    return Partition(accelerated=bool(kind), operators=tuple(sorted(members))), waiting
