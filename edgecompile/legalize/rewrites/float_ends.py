"""Float inputs and outputs cut off, so that the caller gives and gets the integers that the model computes with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Signature, Subgraph
from edgecompile.ir.rewrite import remove_operators
from edgecompile.legalize.rewrites._site import EIGHT_BITS

SUMMARY = "float inputs and outputs cut off: QUANTIZE and DEQUANTIZE at the ends"
CHANGES_ENDS = True
KEEPS = "every bit of the integers; the caller quantizes inputs and dequantizes outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``float32 -> QUANTIZE -> x`` at an input becomes ``x``, ``y -> DEQUANTIZE -> float32`` at an output ``y``.

    The integer tensors take over the names of the float ones. Only where the QUANTIZE is all that reads the input, and
    the integers are not known outside already.
    """
    words: list[str] = []
    for number in range(len(network.subgraphs)):
        network, found = _cut(network, number)
        words += found
    return network, words


def _cut(network: Network, number: int) -> tuple[Network, list[str]]:
    subgraph = network.subgraphs[number]
    gone = {**_at_inputs(subgraph), **_at_outputs(subgraph)}
    moved = {old: new for old, new in gone.values()}
    if not gone or len(set(moved.values())) < len(moved) or {*subgraph.inputs, *subgraph.outputs} & set(moved.values()):
        return network, []
    tensors = list(subgraph.tensors)
    for old, new in moved.items():
        tensors[new] = replace(tensors[new], name=tensors[old].name)
        tensors[old] = replace(tensors[old], name=f"{tensors[old].name}_float")
    words = [subgraph.operators[index].label for index in sorted(gone)]
    changed = replace(
        remove_operators(subgraph, gone),
        tensors=tuple(tensors),
        inputs=tuple(moved.get(i, i) for i in subgraph.inputs),
        outputs=tuple(moved.get(i, i) for i in subgraph.outputs),
    )
    subgraphs = tuple(changed if at == number else other for at, other in enumerate(network.subgraphs))
    signatures = tuple(_renamed(entry, moved) if entry.subgraph == number else entry for entry in network.signatures)
    return replace(network, subgraphs=subgraphs, signatures=signatures), words


def _at_inputs(subgraph: Subgraph) -> dict[int, tuple[int, int]]:
    """Operator to (float tensor, integer tensor) where a QUANTIZE is the only reader of an input."""
    readers: dict[int, list[int]] = {}
    for index, operator in enumerate(subgraph.operators):
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(index)
    found = {}
    for tensor in subgraph.inputs:
        indices = readers.get(tensor, [])
        if len(indices) != 1 or tensor in subgraph.outputs or subgraph.tensors[tensor].dtype != "float32":
            continue
        operator = subgraph.operators[indices[0]]
        if operator.name == "QUANTIZE" and subgraph.tensors[operator.outputs[0]].dtype in EIGHT_BITS:
            found[indices[0]] = (tensor, operator.outputs[0])
    return found


def _at_outputs(subgraph: Subgraph) -> dict[int, tuple[int, int]]:
    """Operator to (float tensor, integer tensor) where a DEQUANTIZE makes an output that nobody else reads."""
    read = {tensor for operator in subgraph.operators for tensor in operator.inputs}
    found = {}
    for index, operator in enumerate(subgraph.operators):
        if operator.name != "DEQUANTIZE" or operator.outputs[0] not in subgraph.outputs or operator.outputs[0] in read:
            continue
        source = subgraph.tensors[operator.inputs[0]]
        if source.dtype in EIGHT_BITS and not source.is_constant:
            found[index] = (operator.outputs[0], operator.inputs[0])
    return found


def _renamed(entry: Signature, moved: Mapping[int, int]) -> Signature:
    inputs, outputs = (
        {name: moved.get(index, index) for name, index in side.items()} for side in (entry.inputs, entry.outputs)
    )
    return replace(entry, inputs=inputs, outputs=outputs)
