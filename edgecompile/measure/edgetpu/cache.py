"""Which layers' weights stay on the device between invocations, and which are streamed by every invocation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgecompile.ir.network import Subgraph
from edgecompile.measure.edgetpu.device import Layout, Memory
from edgecompile.measure.edgetpu.padding import Parameters
from edgecompile.measure.edgetpu.parameters import parameters_of


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An operator of the accelerator: ``cached_bytes`` and ``streamed_bytes`` of its constants."""

    operator: int
    cached_bytes: int
    streamed_bytes: int


@dataclass(frozen=True, kw_only=True)
class Cache:
    """``layers`` in the order of the operators; ``free_bytes`` is what the cache has left for another model."""

    layers: tuple[Layer, ...]
    free_bytes: int

    @property
    def cached_bytes(self) -> int:
        """On the device, all layers."""
        return sum(layer.cached_bytes for layer in self.layers)

    @property
    def streamed_bytes(self) -> int:
        """Sent by every invocation, all layers."""
        return sum(layer.streamed_bytes for layer in self.layers)


def allocate(
    subgraph: Subgraph, operators: Iterable[int], layout: Layout, memory: Memory, free_bytes: int | None = None
) -> Cache:
    """Whole layers, in order, as long as they fit; what is too large is left out and the next one tried.

    ``operators`` are those on the accelerator; ``free_bytes`` is what models compiled together with this one, and
    named before it, have left of the cache (None: all of it that its maps leave).
    """
    operators = tuple(operators)
    free = room_of(subgraph, operators, memory) if free_bytes is None else free_bytes
    found = [(index, parameters_of(subgraph, subgraph.operators[index], layout)) for index in operators]
    # Biases and the like are small and are cached first: a layer whose weights are streamed keeps them on chip.
    fixed = sum(parameters.fixed_bytes for _, parameters in found)
    keeps_fixed = fixed <= free
    free -= fixed if keeps_fixed else 0
    layers = []
    for index, parameters in found:
        cached = parameters.weights_bytes <= free and not _too_deep(subgraph, index, memory)
        free -= parameters.weights_bytes if cached else 0
        layers.append(_layer(index, parameters, cached, keeps_fixed))
    return Cache(layers=tuple(layers), free_bytes=free)


def share(models: Sequence[tuple[Subgraph, Sequence[int]]], layout: Layout, memory: Memory) -> tuple[Cache, ...]:
    """Models that are compiled together, the first of which takes from the cache what it needs.

    What the maps of any of them take is not there for the others: the weights stay where they are between them.
    """
    free = min((room_of(subgraph, operators, memory) for subgraph, operators in models), default=memory.cache_bytes)
    found: list[Cache] = []
    for subgraph, operators in models:
        found.append(allocate(subgraph, operators, layout, memory, free))
        free = found[-1].free_bytes
    return tuple(found)


def room_of(subgraph: Subgraph, operators: Iterable[int], memory: Memory) -> int:
    """What the cache has for parameters: less where an operator with a map reads and writes that much."""
    held = (_map_bytes(subgraph, index) for index in operators)
    return memory.cache_bytes - (memory.maps_reserve_bytes if max(held, default=0) >= memory.maps_least_bytes else 0)


def _map_bytes(subgraph: Subgraph, index: int) -> int:
    operator = subgraph.operators[index]
    read = (tensor for tensor in subgraph.inputs_of(operator) if tensor is not None and not tensor.is_constant)
    maps = (tensor for tensor in (*read, *subgraph.outputs_of(operator)) if len(tensor.shape) == 4)
    return sum(tensor.size_bytes for tensor in maps)


def _too_deep(subgraph: Subgraph, index: int, memory: Memory) -> bool:
    operator = subgraph.operators[index]
    weights = subgraph.tensor(operator.inputs[1]) if operator.name == "FULLY_CONNECTED" else None
    return weights is not None and weights.shape[-1] > memory.dense_most_inputs


def _layer(index: int, parameters: Parameters, cached: bool, keeps_fixed: bool) -> Layer:
    on_chip = (parameters.weights_bytes if cached else 0) + (parameters.fixed_bytes if keeps_fixed else 0)
    return Layer(operator=index, cached_bytes=on_chip, streamed_bytes=parameters.total_bytes - on_chip)
