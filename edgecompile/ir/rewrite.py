"""Changes of a network, as functions from the old value to the new one.

A pass changes operators and tensors with these and ends with ``compact.drop_unused``, which alone
renumbers; until then indices stay what they were. What the Network does not model goes along in
``raw``; a tensor or operator that is new has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from edgecompile.ir.network import Network, Operator, Signature, Subgraph, Tensor


def replace_subgraph(network: Network, subgraph: Subgraph, number: int = 0) -> Network:
    """The network with another subgraph in that place."""
    subgraphs = (*network.subgraphs[:number], subgraph, *network.subgraphs[number + 1 :])
    return replace(network, subgraphs=subgraphs)


def replace_operator(subgraph: Subgraph, index: int, *operators: Operator) -> Subgraph:
    """The subgraph with one operator replaced by some, which run in its place."""
    before, after = subgraph.operators[:index], subgraph.operators[index + 1 :]
    return replace(subgraph, operators=(*before, *operators, *after))


def remove_operators(subgraph: Subgraph, indices: Iterable[int]) -> Subgraph:
    """The subgraph without these operators. What they made must be read no more, see :func:`redirect`."""
    gone = set(indices)
    return replace(subgraph, operators=tuple(op for i, op in enumerate(subgraph.operators) if i not in gone))


def add_tensors(subgraph: Subgraph, tensors: Sequence[Tensor]) -> tuple[Subgraph, tuple[int, ...]]:
    """The subgraph with more tensors, and their indices. Their buffers are stored when the network is written."""
    first = len(subgraph.tensors)
    grown = replace(subgraph, tensors=(*subgraph.tensors, *tensors))
    return grown, tuple(range(first, first + len(tensors)))


def replace_tensor(subgraph: Subgraph, index: int, tensor: Tensor) -> Subgraph:
    """The subgraph with another tensor in that place."""
    return replace(subgraph, tensors=(*subgraph.tensors[:index], tensor, *subgraph.tensors[index + 1 :]))


def redirect(subgraph: Subgraph, tensors: Mapping[int, int]) -> Subgraph:
    """Operators read the new tensor instead of the old one: ``{old: new}``.

    The subgraph's own outputs stay, for the caller knows them by name; :func:`redirect_outputs` changes them.
    """
    operators = tuple(
        replace(operator, inputs=tuple(tensors.get(i, i) for i in operator.inputs))
        if any(i in tensors for i in operator.inputs)
        else operator
        for operator in subgraph.operators
    )
    return replace(subgraph, operators=operators)


def redirect_outputs(network: Network, tensors: Mapping[int, int], number: int = 0) -> Network:
    """The subgraph gives the new tensor instead of the old one; its signatures too, under their names as they were."""
    subgraph = network.subgraphs[number]
    outputs = tuple(tensors.get(i, i) for i in subgraph.outputs)
    signatures = tuple(
        replace(entry, outputs=_mapped(entry.outputs, tensors)) if entry.subgraph == number else entry
        for entry in network.signatures
    )
    return replace(replace_subgraph(network, replace(subgraph, outputs=outputs), number), signatures=signatures)


def renumber_signature(signature: Signature, tensors: Mapping[int, int]) -> Signature:
    """The signature with tensors by their new numbers."""
    return replace(signature, inputs=_mapped(signature.inputs, tensors), outputs=_mapped(signature.outputs, tensors))


def _mapped(arguments: Mapping[str, int], tensors: Mapping[int, int]) -> dict[str, int]:
    return {name: tensors.get(index, index) for name, index in arguments.items()}
