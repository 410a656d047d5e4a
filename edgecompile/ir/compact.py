"""Leave out what nothing uses any more: tensors, buffers, operator codes; and renumber the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.ir.codes import key_of, operator_key
from edgecompile.ir.network import Network, Operator, Signature, Subgraph, Tensor
from edgecompile.ir.reader import ints_of
from edgecompile.ir.rewrite import renumber_signature

# Metadata that lists something for each tensor by number. Source: TFLite Micro, "Offline memory planning";
# an allocation for other tensors than it was made for would overlap them.
_BY_TENSOR = ("OfflineMemoryAllocation",)


def drop_unused(network: Network) -> Network:
    """The network without tensors, buffers and operator codes that nothing names.

    Kept: what operators, subgraph inputs and outputs, signatures and metadata name, and buffer 0.
    Offline memory plans are left out when tensors change their numbers.
    """
    kept = [_kept_tensors(subgraph, number, network) for number, subgraph in enumerate(network.subgraphs)]
    moved = any(
        list(new) != list(new.values()) or len(new) < len(subgraph.tensors) for new, subgraph in _pairs(kept, network)
    )
    subgraphs = tuple(_renumbered(subgraph, new) if moved else subgraph for new, subgraph in _pairs(kept, network))
    signatures = tuple(renumber_signature(entry, kept[entry.subgraph]) for entry in network.signatures)
    metadata = {name: data for name, data in network.metadata.items() if not (moved and name in _BY_TENSOR)}
    return _drop_codes(_drop_buffers(replace(network, subgraphs=subgraphs, signatures=signatures, metadata=metadata)))


def _pairs(kept: list[dict[int, int]], network: Network) -> list[tuple[dict[int, int], Subgraph]]:
    return list(zip(kept, network.subgraphs, strict=True))


def _kept_tensors(subgraph: Subgraph, number: int, network: Network) -> dict[int, int]:
    """Old to new number of the tensors that something names."""
    named = {*subgraph.inputs, *subgraph.outputs}
    for operator in subgraph.operators:
        named.update(operator.inputs, operator.outputs, _intermediates(operator))
    for entry in network.signatures:
        if entry.subgraph == number:
            named.update(_tensors(entry))
    return {old: new for new, old in enumerate(sorted(index for index in named if index >= 0))}


def _intermediates(operator: Operator) -> tuple[int, ...]:
    return ints_of(getattr(operator.raw, "intermediates", None))


def _tensors(entry: Signature) -> Iterable[int]:
    return (*entry.inputs.values(), *entry.outputs.values())


def _renumbered(subgraph: Subgraph, new: Mapping[int, int]) -> Subgraph:
    return replace(
        subgraph,
        tensors=tuple(subgraph.tensors[old] for old in new),
        operators=tuple(_renumbered_operator(operator, new) for operator in subgraph.operators),
        inputs=tuple(new[i] for i in subgraph.inputs),
        outputs=tuple(new[i] for i in subgraph.outputs),
    )


def _renumbered_operator(operator: Operator, new: Mapping[int, int]) -> Operator:
    raw, intermediates = operator.raw, _intermediates(operator)
    if intermediates:
        raw = _with(raw, intermediates=np.array([new.get(i, i) for i in intermediates], dtype=np.int32))
    return replace(
        operator,
        inputs=tuple(new.get(i, i) for i in operator.inputs),
        outputs=tuple(new[i] for i in operator.outputs),
        raw=raw,
    )


def _drop_buffers(network: Network) -> Network:
    """Buffer 0, those that tensors or metadata hold, and those that the file's old metadata list names."""
    listed = ints_of(getattr(network.raw, "metadataBuffer", None))
    used = {id(tensor.buffer) for subgraph in network.subgraphs for tensor in subgraph.tensors}
    used |= {id(buffer) for buffer in network.metadata.values()}
    kept = [i for i, buffer in enumerate(network.buffers) if i == 0 or i in listed or id(buffer) in used]
    if len(kept) == len(network.buffers):
        return network
    new = {old: number for number, old in enumerate(kept)}
    raw = network.raw
    if listed:
        raw = _with(raw, metadataBuffer=np.array([new.get(i, i) for i in listed], dtype=np.int32))
    buffers = tuple(network.buffers[i] for i in kept)
    subgraphs = tuple(
        replace(subgraph, tensors=tuple(_without_buffer_number(tensor) for tensor in subgraph.tensors))
        for subgraph in network.subgraphs
    )
    return replace(network, subgraphs=subgraphs, buffers=buffers, raw=raw)


def _without_buffer_number(tensor: Tensor) -> Tensor:
    """The number in raw says which empty buffer a run-time value had; those are gone, and 0 does."""
    if getattr(tensor.raw, "buffer", 0) == 0:
        return tensor
    return replace(tensor, raw=_with(tensor.raw, buffer=0))


def _drop_codes(network: Network) -> Network:
    if network.raw is None or not network.raw.operatorCodes:
        return network
    codes = network.raw.operatorCodes
    used = {operator_key(operator) for subgraph in network.subgraphs for operator in subgraph.operators}
    first = {key_of(code): i for i, code in reversed([*enumerate(codes)])}
    kept = [i for key, i in sorted(first.items(), key=lambda entry: entry[1]) if key in used]
    if len(kept) == len(codes):
        return network
    new = {old: number for number, old in enumerate(kept)}
    subgraphs = tuple(
        replace(subgraph, operators=tuple(_with_code(operator, first, new) for operator in subgraph.operators))
        for subgraph in network.subgraphs
    )
    return replace(network, subgraphs=subgraphs, raw=_with(network.raw, operatorCodes=[codes[i] for i in kept]))


def _with_code(operator: Operator, first: Mapping[Any, int], new: Mapping[int, int]) -> Operator:
    """The operator with its code's new number in raw, which the writer takes as a hint."""
    key = operator_key(operator)
    if operator.raw is None or key not in first:
        return operator
    return replace(operator, raw=_with(operator.raw, opcodeIndex=new[first[key]]))


def _with(raw: Any, **fields: Any) -> Any:
    """A copy of a raw object with other fields; the one read from the file is shared by networks before this one."""
    made = copy(raw)
    for name, value in fields.items():
        setattr(made, name, value)
    return made
