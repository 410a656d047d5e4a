"""A subgraph while a pass rewrites it: who writes and who reads a tensor, kept true under every change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.ir.network import Network, Operator, Subgraph, Tensor

Array = np.ndarray[Any, Any]


class Draft:
    """Tensor indices stay what they were; what falls out of use is left to ``remove_dead``.

    ``kept`` holds the tensors that somebody outside knows: inputs, outputs, what signatures name.
    """

    def __init__(self, network: Network, number: int) -> None:
        subgraph = network.subgraphs[number]
        self.subgraph = subgraph
        self.tensors: list[Tensor] = list(subgraph.tensors)
        self.operators: list[Operator | None] = list(subgraph.operators)
        self.kept = kept_tensors(network, number)
        self._readers: dict[int, set[int]] = {}
        self._writer: dict[int, int] = {}
        for index, operator in enumerate(subgraph.operators):
            self._enter(index, operator)

    def alive(self) -> Iterator[tuple[int, Operator]]:
        """Operators not removed, with their indices, in execution order, each as it is when its turn comes."""
        for index in range(len(self.operators)):
            operator = self.operators[index]
            if operator is not None:
                yield index, operator

    def readers(self, tensor: int) -> list[int]:
        """Indices of the operators that read a tensor."""
        return sorted(self._readers.get(tensor, ()))

    def writer(self, tensor: int) -> tuple[int, Operator] | None:
        """The operator that computes a tensor, with its index."""
        index = self._writer.get(tensor)
        operator = self.operators[index] if index is not None else None
        return (index, operator) if index is not None and operator is not None else None

    def input(self, operator: Operator, position: int) -> Tensor | None:
        """An input of an operator, None where it is left out."""
        index = operator.inputs[position] if position < len(operator.inputs) else -1
        return self.tensors[index] if index >= 0 else None

    def constant(self, operator: Operator, position: int) -> Array | None:
        """The value of a constant input, None where it is computed, left out or may change."""
        tensor = self.input(operator, position)
        return tensor.array if tensor is not None and not tensor.is_variable else None

    def put(self, index: int, operator: Operator | None) -> None:
        """Put another operator into the place of one, or nothing."""
        before = self.operators[index]
        if before is not None:
            for tensor in before.inputs:
                self._readers.get(tensor, set()).discard(index)
            for tensor in before.outputs:
                if self._writer.get(tensor) == index:
                    del self._writer[tensor]
        self.operators[index] = operator
        if operator is not None:
            self._enter(index, operator)

    def redirect(self, old: int, new: int) -> None:
        """Let every reader of ``old`` read ``new``."""
        for index in self.readers(old):
            reader = self.operators[index]
            if reader is not None:
                self.put(index, replace(reader, inputs=tuple(new if t == old else t for t in reader.inputs)))

    def finish(self) -> Subgraph:
        """The subgraph as it is now."""
        operators = tuple(operator for _, operator in self.alive())
        return replace(self.subgraph, tensors=tuple(self.tensors), operators=operators)

    def _enter(self, index: int, operator: Operator) -> None:
        for tensor in operator.inputs:
            self._readers.setdefault(tensor, set()).add(index)
        for tensor in operator.outputs:
            self._writer[tensor] = index


def kept_tensors(network: Network, number: int) -> frozenset[int]:
    """Tensors of a subgraph that are known outside: inputs, outputs, and what signatures name."""
    subgraph = network.subgraphs[number]
    named = {
        tensor
        for signature in network.signatures
        if signature.subgraph == number
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
    }
    return frozenset({*subgraph.inputs, *subgraph.outputs, *named})


def rewrite(network: Network, step: Callable[[Draft], list[str]]) -> tuple[Network, list[str]]:
    """The network after ``step`` on every subgraph, and a word per rewrite; the very network where there is none."""
    subgraphs, words = [], []
    for number, subgraph in enumerate(network.subgraphs):
        draft = Draft(network, number)
        found = step(draft)
        words += found
        subgraphs.append(draft.finish() if found else subgraph)
    return (replace(network, subgraphs=tuple(subgraphs)), words) if words else (network, [])


def same_type(a: Tensor, b: Tensor) -> bool:
    """Equal shape, dtype and quantization, and no dimension that is known at run time only."""
    return same_form(a, b) and a.shape == b.shape


def same_form(a: Tensor, b: Tensor) -> bool:
    """Equal dtype and quantization, and no dimension that is known at run time only."""
    still = not (a.is_dynamic or b.is_dynamic or a.is_variable or b.is_variable)
    return still and a.dtype == b.dtype and a.quantization == b.quantization
