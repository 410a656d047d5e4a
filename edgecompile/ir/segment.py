"""Cut a network in two or more that give the same answers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from edgecompile.ir.compact import drop_unused
from edgecompile.ir.graph import producers_of
from edgecompile.ir.network import Network, Subgraph


def crossing(subgraph: Subgraph, position: int) -> tuple[int, ...]:
    """Tensors made before operator ``position`` that it or a later one reads, or that the caller is given."""
    made = {tensor for operator in subgraph.operators[:position] for tensor in operator.outputs}
    read = {tensor for operator in subgraph.operators[position:] for tensor in operator.inputs}
    return tuple(sorted(made & (read | set(subgraph.outputs))))


def closure(subgraph: Subgraph, operators: Iterable[int]) -> frozenset[int]:
    """The operators and all those whose values they wait for."""
    producers = producers_of(subgraph)
    waiting, found = list(operators), set[int]()
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += [producers[tensor] for tensor in subgraph.operators[index].inputs if tensor in producers]
    return frozenset(found)


def separable(subgraph: Subgraph) -> bool:
    """Whether a cut changes nothing: no operator writes a variable that another may read."""
    return not any(tensor.is_variable for tensor in subgraph.tensors)


def segments(network: Network, cuts: Sequence[int]) -> tuple[Network, ...]:
    """The main subgraph in ``len(cuts) + 1`` networks; ``cuts`` are indices of the operators that begin a new one.

    A segment reads what its operators need, from the caller or from any segment before it, and gives what a later one
    needs or the caller wants, under the names that the tensors have. Signatures and metadata are left out: they are
    of the whole. A network of several subgraphs keeps them all in every segment.
    """
    main = network.main
    bounds = [0, *cuts, len(main.operators)]
    return tuple(_segment(network, start, stop) for start, stop in pairwise(bounds))


def _segment(network: Network, start: int, stop: int) -> Network:
    main = network.main
    operators = main.operators[start:stop]
    made = {tensor for operator in operators for tensor in operator.outputs}
    given = {*main.inputs, *crossing(main, start)}
    inputs = _in_order([tensor for operator in operators for tensor in operator.inputs if tensor in given])
    later = {tensor for operator in main.operators[stop:] for tensor in operator.inputs}
    wanted = made & (later | set(main.outputs))
    part = replace(
        main,
        operators=operators,
        inputs=tuple(tensor for tensor in inputs if tensor not in made),
        outputs=tuple(sorted(wanted)) if stop < len(main.operators) else _last(main, wanted),
    )
    return drop_unused(replace(network, subgraphs=(part, *network.subgraphs[1:]), signatures=(), metadata={}))


def _last(main: Subgraph, wanted: set[int]) -> tuple[int, ...]:
    """The last segment gives the caller's outputs in the caller's order."""
    return tuple(tensor for tensor in main.outputs if tensor in wanted)


def _in_order(tensors: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(tensors))
