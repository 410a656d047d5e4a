"""Where a network's answers are logits: the tensor in front of a final SOFTMAX or LOGISTIC."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.ir.graph import producers_of
from edgecompile.ir.network import Network, Subgraph

# Operators between the activation and the output that leave every value in its place.
_THROUGH = frozenset({"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"})


@dataclass(frozen=True, kw_only=True)
class End:
    """How one output ends.

    ``kind``: ``softmax``, ``sigmoid``, or ``open`` where neither is found. ``tensor`` holds the logits (None:
    the output itself), to be multiplied by ``factor`` (a SOFTMAX's beta). ``shape`` is the output's without the batch.
    """

    kind: str
    position: int
    tensor: int | None
    factor: float
    shape: tuple[int, ...]

    @property
    def classes(self) -> int:
        """Elements along the last axis."""
        return self.shape[-1] if self.shape else 1


def ends_of(network: Network) -> tuple[End, ...]:
    """The end of each output of the main subgraph, in order."""
    main = network.main
    producers = producers_of(main)
    return tuple(_end(main, producers, position, output) for position, output in enumerate(main.outputs))


def _end(main: Subgraph, producers: dict[int, int], position: int, output: int) -> End:
    shape = main.tensors[output].shape[1:]
    kind, tensor, factor = _logits(main, producers, output)
    return End(kind=kind, position=position, tensor=tensor, factor=factor, shape=shape)


def _logits(main: Subgraph, producers: dict[int, int], output: int) -> tuple[str, int | None, float]:
    tensor = output
    while tensor in producers:
        operator = main.operators[producers[tensor]]
        if operator.name == "SOFTMAX" and _last(main, tensor) == _last(main, output):
            return "softmax", operator.inputs[0], float(operator.options.get("beta") or 1.0)
        if operator.name == "LOG_SOFTMAX" and _last(main, tensor) == _last(main, output):
            return "softmax", operator.outputs[0], 1.0
        if operator.name == "LOGISTIC":
            return "sigmoid", operator.inputs[0], 1.0
        if operator.name not in _THROUGH:
            break
        tensor = operator.inputs[0]
    return "open", None, 1.0


def _last(main: Subgraph, tensor: int) -> int:
    shape = main.tensors[tensor].shape
    return shape[-1] if shape else 1
