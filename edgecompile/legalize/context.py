"""What a rule looks at: one operator in its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Subgraph, Tensor

# The input that carries the data, where it is not the first.
DATA_INPUT: Mapping[str, int] = {"SPLIT": 1, "SELECT": 1, "SELECT_V2": 1, "TRANSPOSE_CONV": 2, "EMBEDDING_LOOKUP": 1}
# The input that carries the weights, where it is not the second.
WEIGHTS_INPUT: Mapping[str, int] = {"LSTM": 2, "UNIDIRECTIONAL_SEQUENCE_LSTM": 2, "BIDIRECTIONAL_SEQUENCE_LSTM": 2}
# Delegates fold these into their consumer when the input is a constant.
UNPACKED_CONSTANTS = ("DEQUANTIZE", "DENSIFY")

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Operator ``index`` of ``subgraph``; ``producers`` maps a tensor to the operator that computes it."""

    network: Network
    subgraph: Subgraph
    index: int
    target: Target
    producers: Mapping[int, int]

    @property
    def operator(self) -> Operator:
        """The operator itself."""
        return self.subgraph.operators[self.index]

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """Input tensors, None where one is left out."""
        return self.subgraph.inputs_of(self.operator)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Output tensors."""
        return self.subgraph.outputs_of(self.operator)

    @property
    def data(self) -> Tensor | None:
        """The input that is computed with; the first output of an operator without inputs."""
        found = self.input(DATA_INPUT.get(self.operator.name, 0))
        return found or (self.outputs[0] if self.outputs else None)

    @property
    def weights(self) -> Tensor | None:
        """The input that carries weights, for operators that have them."""
        return self.input(WEIGHTS_INPUT.get(self.operator.name, 1))

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """Everything read or written that the file does not bring along: inputs first, then outputs."""
        present = (index for index in self.operator.inputs if index >= 0)
        read = (index for index in present if not self._is_constant(index))
        return (*(self.subgraph.tensors[index] for index in read), *self.outputs)

    def input(self, position: int) -> Tensor | None:
        """The input at a position, None where there is none."""
        return self.inputs[position] if position < len(self.operator.inputs) else None

    def is_constant(self, position: int) -> bool:
        """The input is there and is a constant, or a constant that is only unpacked (DEQUANTIZE, DENSIFY)."""
        inputs = self.operator.inputs
        return position < len(inputs) and inputs[position] >= 0 and self._is_constant(inputs[position])

    def values(self, position: int) -> Array | None:
        """The constant at an input, or None."""
        tensor = self.input(position)
        return tensor.array if tensor is not None else None

    def option(self, name: str) -> Any:
        """A setting of the operator, None where it has no such setting."""
        return self.operator.options.get(name)

    def _is_constant(self, tensor: int) -> bool:
        # A sparse half-float constant passes through two operators; a graph that goes in circles never ends.
        for _ in range(len(UNPACKED_CONSTANTS) + 1):
            if self.subgraph.tensors[tensor].is_constant:
                return True
            producer = self.producers.get(tensor)
            operator = None if producer is None else self.subgraph.operators[producer]
            if operator is None or operator.name not in UNPACKED_CONSTANTS or not operator.inputs:
                return False
            tensor = operator.inputs[0]
        return False


def is_open(tensor: Tensor) -> bool:
    """A size is unknown that is not the batch, or the batch has no size to be compiled with.

    Converters write -1 for the batch into the signature and 1 into the shape, and interpreters use the shape.
    """
    return any(size < 0 for size in (*tensor.shape, *tensor.shape_signature[1:]))


def axes_of(context: Context) -> tuple[int, ...] | None:
    """The axes that the operator works along, counted from the front; None where they are not known.

    PAD: the axes that are padded. Others: the ``axis`` setting, else the constant that holds it.
    """
    rank = len(context.data.shape) if context.data is not None else 0
    name = context.operator.name
    if name in ("PAD", "PADV2", "MIRROR_PAD"):
        pads = context.values(1)
        if pads is None or pads.size % 2:
            return None
        return tuple(int(axis) for axis in np.nonzero(pads.reshape(-1, 2).any(axis=1))[0])
    if (axis := context.option("axis")) is not None:
        return (axis + rank + (name == "PACK") if axis < 0 else axis,)
    stored = context.values(0 if name == "SPLIT" else 2 if name == "SPLIT_V" else 1)
    return None if stored is None else tuple(int(axis) % max(rank, 1) for axis in stored.reshape(-1))


def contexts_of(network: Network, subgraph: Subgraph, target: Target) -> tuple[Context, ...]:
    """Every operator of a subgraph, in order."""
    producers = {tensor: i for i, operator in enumerate(subgraph.operators) for tensor in operator.outputs}
    return tuple(
        Context(network=network, subgraph=subgraph, index=index, target=target, producers=producers)
        for index in range(len(subgraph.operators))
    )
