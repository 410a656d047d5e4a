"""Who makes and who reads each tensor of a subgraph, and in which order its operators can run.

Every function is linear in the size of the subgraph; call once and look up, not once per operator.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from edgecompile.ir.network import Operator, Subgraph

# Operators that matter even when nobody reads what they give. Custom operators may be such.
_EFFECTS = frozenset(
    {"ASSIGN_VARIABLE", "CALL_ONCE", "CALL", "CUSTOM", "HASHTABLE_IMPORT", "IF", "STABLEHLO_CUSTOM_CALL", "WHILE"}
)


def producers_of(subgraph: Subgraph) -> dict[int, int]:
    """Tensor to the operator that makes it; inputs, constants and variables are not in it."""
    return {tensor: i for i, operator in enumerate(subgraph.operators) for tensor in operator.outputs}


def producer_of(subgraph: Subgraph, tensor: int) -> int | None:
    """The operator that makes one tensor, None for inputs, constants and variables."""
    return next((i for i, operator in enumerate(subgraph.operators) if tensor in operator.outputs), None)


def consumers_of(subgraph: Subgraph) -> dict[int, tuple[int, ...]]:
    """Tensor to the operators that read it, in order, each once; a tensor that none reads has an empty tuple.

    A subgraph's outputs are read by the caller too, which is not counted here.
    """
    found: dict[int, list[int]] = {tensor: [] for tensor in range(len(subgraph.tensors))}
    for index, operator in enumerate(subgraph.operators):
        for tensor in dict.fromkeys(operator.inputs):
            if tensor >= 0:
                found[tensor].append(index)
    return {tensor: tuple(readers) for tensor, readers in found.items()}


def sole_consumer(subgraph: Subgraph, consumers: Mapping[int, tuple[int, ...]], tensor: int) -> int | None:
    """The one operator that reads a tensor; None when there are several, none, or the caller reads it too."""
    readers = consumers.get(tensor, ())
    return readers[0] if len(readers) == 1 and tensor not in subgraph.outputs else None


def is_ordered(subgraph: Subgraph) -> bool:
    """Whether each operator stands behind those whose values it reads. Variables may be read before."""
    producers = producers_of(subgraph)
    return all(
        maker < index
        for index, operator in enumerate(subgraph.operators)
        for maker in _before(operator, subgraph, producers)
    )


def ordered(subgraph: Subgraph) -> tuple[int, ...]:
    """Operators in an order in which they can run, the given order kept wherever it can be.

    Raises ValueError where operators wait for each other in a circle.
    """
    producers = producers_of(subgraph)
    waits = [set(_before(operator, subgraph, producers)) for operator in subgraph.operators]
    followers: dict[int, list[int]] = {}
    for index, makers in enumerate(waits):
        for maker in makers:
            followers.setdefault(maker, []).append(index)
    ready = [index for index, makers in enumerate(waits) if not makers]
    done: list[int] = []
    while ready:
        done.append(heapq.heappop(ready))
        for follower in followers.get(done[-1], ()):
            waits[follower].discard(done[-1])
            if not waits[follower]:
                heapq.heappush(ready, follower)
    if len(done) < len(subgraph.operators):
        stuck = sorted(set(range(len(subgraph.operators))) - set(done))
        raise ValueError(f"operators {stuck} of `{subgraph.name}` wait for each other")
    return tuple(done)


def live_operators(subgraph: Subgraph) -> frozenset[int]:
    """Operators that the subgraph's outputs depend on, or that do something besides: write a variable, call."""
    producers = producers_of(subgraph)
    waiting = [producers[tensor] for tensor in subgraph.outputs if tensor in producers]
    waiting += [i for i, operator in enumerate(subgraph.operators) if has_effect(subgraph, operator)]
    live: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index not in live:
            live.add(index)
            waiting += [producers[tensor] for tensor in subgraph.operators[index].inputs if tensor in producers]
    return frozenset(live)


def has_effect(subgraph: Subgraph, operator: Operator) -> bool:
    """Whether running the operator matters although nobody may read its outputs."""
    touched = (*operator.inputs, *operator.outputs)
    return operator.name in _EFFECTS or any(i >= 0 and subgraph.tensors[i].is_variable for i in touched)


def _before(operator: Operator, subgraph: Subgraph, producers: Mapping[int, int]) -> list[int]:
    made = (i for i in operator.inputs if i in producers and not subgraph.tensors[i].is_variable)
    return [producers[i] for i in made]
