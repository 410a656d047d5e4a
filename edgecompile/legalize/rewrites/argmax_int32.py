"""Positions of largest and smallest values in 32 bits: accelerators do not take int64."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Subgraph

SUMMARY = "results of ARG_MAX and ARG_MIN in int32 instead of int64"
KEEPS = "every position; outputs that hold positions become int32"

_OPERATORS = ("ARG_MAX", "ARG_MIN")


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``argmax(x)`` is below the number of elements of ``x``, which int32 holds.

    Where the positions are only given to the caller or cast.
    """
    words: list[str] = []
    subgraphs = []
    for number, subgraph in enumerate(network.subgraphs):
        # A called subgraph must give what its caller has a tensor for.
        found = _narrowed(subgraph) if number == 0 else {}
        words += found.values()
        subgraphs.append(_with(subgraph, set(found)))
    return (replace(network, subgraphs=tuple(subgraphs)), words) if words else (network, [])


def _narrowed(subgraph: Subgraph) -> dict[int, str]:
    """Tensors to narrow, and the operator that makes each."""
    found = {}
    for operator in subgraph.operators:
        result = operator.outputs[0] if operator.outputs else -1
        if operator.name not in _OPERATORS or subgraph.tensors[result].dtype != "int64":
            continue
        if all(reader.name == "CAST" for reader in subgraph.operators if result in reader.inputs):
            found[result] = operator.label
    return found


def _with(subgraph: Subgraph, narrowed: set[int]) -> Subgraph:
    if not narrowed:
        return subgraph
    tensors = tuple(
        replace(tensor, dtype="int32") if index in narrowed else tensor for index, tensor in enumerate(subgraph.tensors)
    )
    operators = []
    for operator in subgraph.operators:
        options = dict(operator.options)
        if operator.name in _OPERATORS and operator.outputs[0] in narrowed:
            options["output_type"] = "int32"
        if operator.name == "CAST" and operator.inputs[0] in narrowed and "in_data_type" in options:
            options["in_data_type"] = "int32"
        changed = options != dict(operator.options)
        operators.append(replace(operator, options=options) if changed else operator)
    return replace(subgraph, tensors=tensors, operators=tuple(operators))
