"""What a network costs while its shapes shrink: multiply-accumulates, parameters, bytes of int8 weights, channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgecompile.compress.sites import sites_of
from edgecompile.compress.structure.groups import Group
from edgecompile.ir.costs import macs
from edgecompile.ir.network import Network, Subgraph

MEASURES = ("macs", "parameters", "bytes", "channels")
_BIAS_BYTES = 4


class Shrinking:
    """The main subgraph's shapes, reduced group by group, and what is counted of them.

    ``bytes`` are those of the constants when quantized to int8: one for a weight, four for everything
    else in float32 (biases become int32).
    """

    def __init__(self, network: Network, measure: str) -> None:
        assert measure in MEASURES, measure
        self.measure = measure
        self._main = network.main
        self._tensors = list(network.main.tensors)
        self._weights = {site.weights for site in sites_of(network)}
        self._touched: dict[int, set[int]] = {}
        for number, operator in enumerate(self._main.operators):
            for tensor in (*operator.inputs, *operator.outputs):
                self._touched.setdefault(tensor, set()).add(number)
        self.total = sum(self._of_operator(self._main, number) for number in range(len(self._main.operators)))
        self.total += sum(self._of_tensor(index) for index in range(len(self._tensors)))

    def size(self, tensor: int, axis: int) -> int:
        """The present length of an axis."""
        return self._tensors[tensor].shape[axis]

    def saving(self, group: Group, channels: int) -> int:
        """How much less is counted when the group loses so many channels more."""
        if self.measure == "channels":
            return channels
        before = self._around(group)
        kept = {tensor: self._tensors[tensor] for tensor, _ in group.axes}
        self._shrink(group.axes, channels)
        after = self._around(group)
        for index, tensor in kept.items():
            self._tensors[index] = tensor
        return before - after

    def shrink(self, group: Group, channels: int) -> None:
        """Take the channels out for good."""
        self.total -= self.saving(group, channels)
        self._shrink(group.axes, channels)

    def _shrink(self, axes: Mapping[tuple[int, int], int], channels: int) -> None:
        for (index, axis), each in axes.items():
            tensor = self._tensors[index]
            shape = (*tensor.shape[:axis], tensor.shape[axis] - each * channels, *tensor.shape[axis + 1 :])
            self._tensors[index] = replace(tensor, shape=shape)

    def _around(self, group: Group) -> int:
        """What the operators and constants that the group touches count for."""
        tensors = {tensor for tensor, _ in group.axes}
        if self.measure != "macs":
            return sum(self._of_tensor(index) for index in tensors)
        main = replace(self._main, tensors=tuple(self._tensors))
        return sum(
            self._of_operator(main, number) for number in set().union(*(self._touched.get(i, set()) for i in tensors))
        )

    def _of_operator(self, main: Subgraph, number: int) -> int:
        return (macs(main, main.operators[number]) or 0) if self.measure == "macs" else 0

    def _of_tensor(self, index: int) -> int:
        tensor = self._tensors[index]
        if not tensor.is_constant or tensor.dtype != "float32" or self.measure not in ("parameters", "bytes"):
            return 0
        each = 1 if self.measure == "parameters" or index in self._weights else _BIAS_BYTES
        return each * tensor.elements


def count(network: Network, measure: str) -> int:
    """What the main subgraph counts for; ``channels`` are counted by the groups, not here."""
    return Shrinking(network, measure).total
