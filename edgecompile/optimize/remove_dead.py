"""Remove what contributes to no output: operators, then tensors, then stored bytes."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.compact import drop_unused
from edgecompile.ir.graph import has_effect
from edgecompile.ir.network import Network, Operator, Subgraph
from edgecompile.optimize._draft import kept_tensors

ORDER = 70
SUMMARY = "what no output depends on"

_LASTING = ("resource", "variant")
# Each draws from a stream of its own kernel's; left alone all the same, as a seed may be shared.
_RANDOM = ("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL")


def run(network: Network) -> tuple[Network, list[str]]:
    """``outputs = f(needed)``: operators, tensors and buffers outside ``needed`` go, the others are renumbered.

    Kept in any case: inputs, outputs, what signatures name, operators with an effect beside their outputs (variables,
    resources, called subgraphs, custom code, random numbers), the first buffer (empty by convention) and those of
    the metadata.
    """
    words: list[str] = []
    subgraphs = []
    for number, subgraph in enumerate(network.subgraphs):
        alive = _alive(subgraph, kept_tensors(network, number))
        words += [o.label for index, o in enumerate(subgraph.operators) if index not in alive]
        operators = tuple(o for index, o in enumerate(subgraph.operators) if index in alive)
        subgraphs.append(replace(subgraph, operators=operators))
    result = drop_unused(replace(network, subgraphs=tuple(subgraphs)))
    words += ["tensor"] * (_tensors(network) - _tensors(result))
    words += ["buffer"] * (len(network.buffers) - len(result.buffers))
    return (result, words) if words else (network, [])


def _alive(subgraph: Subgraph, kept: frozenset[int]) -> set[int]:
    """Indices of the operators that something depends on."""
    needed, alive = set(kept), set()
    for index in reversed(range(len(subgraph.operators))):
        operator = subgraph.operators[index]
        if _matters(subgraph, operator) or needed.intersection(operator.outputs):
            alive.add(index)
            needed.update(operator.inputs)
    return alive


def _matters(subgraph: Subgraph, operator: Operator) -> bool:
    """Something beside the outputs may depend on the operator having run."""
    if has_effect(subgraph, operator) or operator.name in _RANDOM or not operator.outputs:
        return True
    touched = (*operator.inputs, *operator.outputs)
    return any(subgraph.tensors[index].dtype in _LASTING for index in touched if index >= 0)


def _tensors(network: Network) -> int:
    return sum(len(subgraph.tensors) for subgraph in network.subgraphs)
