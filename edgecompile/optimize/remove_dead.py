"""Remove what contributes to no output: operators, then tensors, then stored bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgecompile.ir.network import Buffer, Network, Operator, Signature, Subgraph
from edgecompile.optimize._draft import kept_tensors

ORDER = 70
SUMMARY = "what no output depends on"

_LASTING = ("resource", "variant")
_EFFECTS = ("CUSTOM", "CALL", "CALL_ONCE", "IF", "WHILE", "HASHTABLE_IMPORT", "ASSIGN_VARIABLE")
_RANDOM = ("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL")


def run(network: Network) -> tuple[Network, list[str]]:
    """``outputs = f(needed)``: operators, tensors and buffers outside ``needed`` go, the others are renumbered.

    Kept in any case: inputs, outputs, what signatures name, operators with an effect beside their outputs (variables,
    resources, called subgraphs, custom code, random numbers), the first buffer (empty by convention) and those of the
    metadata. Where an operator lists intermediate tensors (quantized LSTM), tensors keep their numbers.
    """
    words: list[str] = []
    maps: list[Mapping[int, int]] = []
    subgraphs = []
    for number, subgraph in enumerate(network.subgraphs):
        kept = kept_tensors(network, number)
        alive = _without_dead_operators(subgraph, kept)
        numbers = _numbers(alive, kept)
        words += [o.label for o in subgraph.operators if not any(o is other for other in alive.operators)]
        words += ["tensor"] * (len(subgraph.tensors) - len(numbers))
        maps.append(numbers)
        subgraphs.append(_renumbered(alive, numbers) if len(numbers) < len(alive.tensors) else alive)
    signatures = tuple(_signature(signature, maps[signature.subgraph]) for signature in network.signatures)
    result = replace(network, subgraphs=tuple(subgraphs), signatures=signatures) if words else network
    buffers = _used_buffers(result)
    words += ["buffer"] * (len(network.buffers) - len(buffers))
    return (replace(result, buffers=buffers), words) if words else (network, [])


def _without_dead_operators(subgraph: Subgraph, kept: frozenset[int]) -> Subgraph:
    needed = set(kept)
    alive = []
    for operator in reversed(subgraph.operators):
        if _has_effect(subgraph, operator) or needed.intersection(operator.outputs):
            alive.append(operator)
            needed.update(operator.inputs)
    return replace(subgraph, operators=tuple(reversed(alive)))


def _has_effect(subgraph: Subgraph, operator: Operator) -> bool:
    """Something beside the outputs may depend on the operator having run."""
    if operator.name in _EFFECTS or operator.name in _RANDOM or not operator.outputs:
        return True
    touched = [subgraph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
    return any(tensor.is_variable or tensor.dtype in _LASTING for tensor in touched)


def _numbers(subgraph: Subgraph, kept: frozenset[int]) -> dict[int, int]:
    """New number by old number of the tensors that stay."""
    if any(_has_intermediates(operator) for operator in subgraph.operators):
        return {index: index for index in range(len(subgraph.tensors))}
    used = set(kept)
    for operator in subgraph.operators:
        used.update(operator.inputs, operator.outputs)
    return {old: new for new, old in enumerate(sorted(used - {-1}))}


def _has_intermediates(operator: Operator) -> bool:
    """The schema's list of intermediate tensors, which the Network does not model, is not empty."""
    intermediates = getattr(operator.raw, "intermediates", None)
    return intermediates is not None and len(intermediates) > 0


def _renumbered(subgraph: Subgraph, numbers: Mapping[int, int]) -> Subgraph:
    def new(indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(numbers.get(index, -1) for index in indices)

    return replace(
        subgraph,
        tensors=tuple(subgraph.tensors[old] for old in numbers),
        operators=tuple(replace(o, inputs=new(o.inputs), outputs=new(o.outputs)) for o in subgraph.operators),
        inputs=new(subgraph.inputs),
        outputs=new(subgraph.outputs),
    )


def _signature(signature: Signature, numbers: Mapping[int, int]) -> Signature:
    return replace(
        signature,
        inputs={name: numbers[index] for name, index in signature.inputs.items()},
        outputs={name: numbers[index] for name, index in signature.outputs.items()},
    )


def _used_buffers(network: Network) -> tuple[Buffer, ...]:
    used = {id(tensor.buffer) for subgraph in network.subgraphs for tensor in subgraph.tensors}
    used.update(id(buffer) for buffer in network.metadata.values())
    return tuple(buffer for index, buffer in enumerate(network.buffers) if index == 0 or id(buffer) in used)
