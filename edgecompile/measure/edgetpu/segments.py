"""Where to cut a network for several devices, so that the slowest of them is as fast as can be.

Each device has a cache of its own, so that a model that streams on one runs from the caches of two or three. A cut
costs: what crosses it goes to the host and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import inf

from edgecompile.ir.network import Subgraph
from edgecompile.measure.edgetpu.device import Device, Link
from edgecompile.measure.edgetpu.parameters import parameters_of
from edgecompile.measure.edgetpu.timing import compute_of


def balance(subgraph: Subgraph, operators: Sequence[int], count: int, device: Device, link: Link) -> tuple[int, ...]:
    """``count - 1`` operators that begin a new segment, in order.

    Minimizes the longest segment's time by dynamic programming over all cuts, then the sum of all segments' times.
    ``operators`` are those on the accelerator. Raises ValueError where there are fewer operators than segments.
    """
    total = len(subgraph.operators)
    if not 0 < count <= total:
        raise ValueError(f"{count} segments of {total} operators")
    cost = _Cost(subgraph, set(operators), device, link)
    # best[stop]: (longest, sum, cuts) of the operators before `stop` in so many segments
    best = [(inf, inf, ()) if stop else (0.0, 0.0, ()) for stop in range(total + 1)]  # type: list[_Best]
    for number in range(count):
        best = [_extend(best, stop, number, total, cost) for stop in range(total + 1)]
    return best[total][2][1:]


_Best = tuple[float, float, tuple[int, ...]]


def _extend(best: list[_Best], stop: int, number: int, total: int, cost: _Cost) -> _Best:
    """The best way to end segment ``number`` before operator ``stop``."""
    found: _Best = (inf, inf, ())
    for start in range(number, stop):
        longest, whole, cuts = best[start]
        if longest >= found[0] and longest > found[0]:
            continue
        own = cost.of(start, stop)
        found = min(found, (max(longest, own), whole + own, (*cuts, start)))
    return found


class _Cost:
    """The time of operators ``start`` to ``stop`` on a device of their own, in constant time from running sums."""

    def __init__(self, subgraph: Subgraph, running: set[int], device: Device, link: Link) -> None:
        self.device, self.link = device, link
        indices = range(len(subgraph.operators))
        seconds = [
            compute_of(subgraph, subgraph.operators[i], device.compute) if i in running else 0.0 for i in indices
        ]
        sizes = [
            parameters_of(subgraph, subgraph.operators[i], device.layout).total_bytes if i in running else 0
            for i in indices
        ]
        self.seconds = [0.0, *accumulate(seconds)]
        self.sizes = [0, *accumulate(sizes)]
        self.crossing = _crossing_bytes(subgraph)

    def of(self, start: int, stop: int) -> float:
        """Seconds: round trip, what is read and given, compute, and streaming of what its cache cannot hold."""
        streamed = max(0, self.sizes[stop] - self.sizes[start] - self.device.memory.cache_bytes)
        transfers = (
            self.crossing[start] / self.link.input_bytes_per_s + self.crossing[stop] / self.link.output_bytes_per_s
        )
        compute = self.seconds[stop] - self.seconds[start]
        return self.link.round_trip_s + transfers + compute + streamed / self.link.stream_bytes_per_s


def _crossing_bytes(subgraph: Subgraph) -> list[int]:
    """Bytes that cross each cut; the model's inputs are read by the first segment, its outputs given by the last."""
    last_use: dict[int, int] = {tensor: len(subgraph.operators) for tensor in subgraph.outputs}
    for index, operator in enumerate(subgraph.operators):
        for tensor in operator.inputs:
            last_use[tensor] = max(last_use.get(tensor, 0), index)
    change = [0] * (len(subgraph.operators) + 2)
    for index, operator in enumerate(subgraph.operators):
        for tensor in operator.outputs:
            size = subgraph.tensors[tensor].size_bytes
            change[index + 1] += size
            change[max(last_use.get(tensor, index), index) + 1] -= size
    crossing = list(accumulate(change[: len(subgraph.operators) + 1]))
    crossing[0] = sum(subgraph.tensors[tensor].size_bytes for tensor in subgraph.inputs)
    return crossing
