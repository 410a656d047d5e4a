"""Which slices of which tensors must stay or go together, as classes over every index of every axis.

A node is one index of one axis of one tensor, constants included; ``tie`` joins nodes into a class that is removed
whole or not at all; ``freeze`` says why a class must stay. Working on single indices makes concatenation,
splitting, flattening and depthwise multipliers ordinary: each only says which index is which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from edgecompile.ir.network import Subgraph

Array = np.ndarray[Any, Any]


class Channels:
    """A union-find over the nodes of a subgraph, with reasons for what is frozen."""

    def __init__(self, subgraph: Subgraph) -> None:
        self.subgraph = subgraph
        self.starts: dict[tuple[int, int], int] = {}
        count = 0
        for tensor, value in enumerate(subgraph.tensors):
            for axis, size in enumerate(value.shape):
                self.starts[tensor, axis] = count
                count += size
        self._parents = list(range(count))
        self._reasons: dict[int, str] = {}
        self._later: list[Callable[[], None]] = []

    @property
    def count(self) -> int:
        """Number of nodes."""
        return len(self._parents)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The tensor's shape."""
        return self.subgraph.tensors[tensor].shape

    def rank(self, tensor: int) -> int:
        """The tensor's number of axes."""
        return len(self.shape(tensor))

    def axis(self, tensor: int, axis: int) -> Array:
        """The nodes of an axis (negative: from the last), in order."""
        axis %= self.rank(tensor)
        start = self.starts[tensor, axis]
        return np.arange(start, start + self.shape(tensor)[axis])

    def root(self, node: int) -> int:
        """The node that stands for the class of this one."""
        parents = self._parents
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    def tie(self, ones: Array, others: Array) -> None:
        """Join the nodes pairwise; as many on one side as on the other."""
        assert len(ones) == len(others), (len(ones), len(others))
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            low, high = sorted((self.root(one), self.root(other)))
            self._parents[high] = low

    def tie_axes(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        """Join two whole axes of one length, each (tensor, axis)."""
        self.tie(self.axis(*one), self.axis(*other))

    def freeze(self, nodes: Array, reason: str) -> None:
        """The classes of these nodes stay, because of ``reason`` (a clause, lower case)."""
        for node in nodes.tolist():
            self._reasons.setdefault(node, reason)

    def freeze_axes(self, tensor: int, axes: Iterable[int], reason: str) -> None:
        """Freeze whole axes of a tensor."""
        for axis in axes:
            self.freeze(self.axis(tensor, axis), reason)

    def freeze_tensor(self, tensor: int, reason: str) -> None:
        """Freeze all axes of a tensor."""
        self.freeze_axes(tensor, range(self.rank(tensor)), reason)

    def later(self, decide: Callable[[], None]) -> None:
        """Decide when everything else is tied: for operators that leave a choice of what to freeze."""
        self._later.append(decide)

    def settle(self) -> None:
        """Take the decisions left for later, in the order in which they came."""
        for decide in self._later:
            decide()
        self._later = []

    def reasons(self) -> dict[int, str]:
        """Root of each frozen class to the first reason given."""
        found: dict[int, str] = {}
        for node, reason in self._reasons.items():
            found.setdefault(self.root(node), reason)
        return found

    def roots(self) -> Array:
        """The root of every node."""
        return np.array([self.root(node) for node in range(self.count)], dtype=np.int64)

    def is_frozen(self, nodes: Array) -> bool:
        """Whether any of these nodes belongs to a frozen class, as far as is known now."""
        frozen = {self.root(node) for node in self._reasons}
        return any(self.root(node) in frozen for node in nodes.tolist())
