"""Give every operator constants of its own, so that changing one does not change another by accident.

TFLite's converter stores equal constants once, such as the zero biases of all layers of one
width: sharing that is chance, not meaning. Weights that several operators read are one layer used
several times, and stay one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgecompile.compress.sites import sites_of
from edgecompile.ir.network import Buffer, Network, Operator, Tensor
from edgecompile.ir.rewrite import replace_subgraph


def own_constants(network: Network) -> Network:
    """The network with a tensor and a buffer for each use of a constant of the main subgraph, weights apart.

    The operators of one weight site go on sharing their bias.
    """
    main = network.main
    sites = sites_of(network)
    weights = {main.tensors[site.weights].buffer for site in sites}
    layer = {number: site.operators[0] for site in sites for number in site.operators}
    tensors, used = list(main.tensors), set[int]()
    biases: dict[tuple[int, int], int] = {}
    taken = set[Buffer]()

    def own(number: int, slot: int, index: int) -> int:
        if index < 0 or not main.tensors[index].is_constant or main.tensors[index].buffer in weights:
            return index
        key = (layer[number], slot) if number in layer else (-number - 1, slot)
        if key not in biases:
            biases[key] = _copy(tensors, index, used, taken)
        return biases[key]

    operators = tuple(_with_inputs(operator, own, number) for number, operator in enumerate(main.operators))
    return replace_subgraph(network, replace(main, tensors=tuple(tensors), operators=operators))


def _copy(tensors: list[Tensor], index: int, used: set[int], taken: set[Buffer]) -> int:
    """The tensor itself where it is the first use, else one more with storage of its own."""
    tensor = tensors[index]
    if index in used or tensor.buffer in taken:
        tensor = replace(tensor, name=next(_names(tensors, tensor.name)), buffer=Buffer(tensor.buffer.data))
    if index not in used:
        tensors[index] = tensor
        used.add(index)
    else:
        index = len(tensors)
        tensors.append(tensor)
    taken.add(tensor.buffer)
    return index


def _names(tensors: list[Tensor], name: str) -> Iterator[str]:
    present = {tensor.name for tensor in tensors}
    number = 1
    while f"{name}/{number}" in present:
        number += 1
    yield f"{name}/{number}"


def _with_inputs(operator: Operator, own: object, number: int) -> Operator:
    assert callable(own)
    inputs = tuple(own(number, slot, index) for slot, index in enumerate(operator.inputs))
    return operator if inputs == operator.inputs else replace(operator, inputs=inputs)
