"""What goes between the host and the accelerator in one invocation of a model: part by part.

The compiler turns each part that runs on the accelerator into one custom operator. The runtime sends its inputs,
starts it and fetches its outputs, so that a tensor which one part makes and another reads goes to the host and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgecompile.ir.network import Subgraph
from edgecompile.ir.partition import cut
from edgecompile.measure.edgetpu.padding import up


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Over all ``parts`` that run on the accelerator: what they read from the host, and what they give it."""

    parts: int
    input_bytes: int
    output_bytes: int


def crossing_of(main: Subgraph, operators: Sequence[int]) -> Crossing:
    """What crosses where these operators run on the accelerator, and all others on the host."""
    inside = set(operators)
    partitions = cut(main, [index in inside for index in range(len(main.operators))])
    parts = [partition.operators for partition in partitions if partition.accelerated]
    crossed = [_bytes(main, part) for part in parts]
    return Crossing(
        parts=len(parts), input_bytes=sum(read for read, _ in crossed), output_bytes=sum(made for _, made in crossed)
    )


def _bytes(main: Subgraph, part: Sequence[int]) -> tuple[int, int]:
    """Bytes that the part reads and gives; channels are sent in whole words."""
    running = [main.operators[index] for index in part]
    made = {tensor for operator in running for tensor in operator.outputs}
    read = {i for operator in running for i in operator.inputs if i >= 0 and not main.tensors[i].is_constant}
    inside = set(part)
    outside = (operator for index, operator in enumerate(main.operators) if index not in inside)
    wanted = {*main.outputs, *(tensor for operator in outside for tensor in operator.inputs)}
    return sum(main.tensors[i].size_bytes for i in read - made), sum(_sent_bytes(main, i) for i in made & wanted)


def _sent_bytes(main: Subgraph, index: int) -> int:
    tensor = main.tensors[index]
    channels = tensor.shape[-1] if tensor.shape else 1
    return tensor.size_bytes // max(channels, 1) * up(channels, 4)
