"""Run operators in the order in which the fewest bytes are alive at the worst moment."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgecompile.ir.graph import consumers_of, has_effect, is_ordered, producers_of
from edgecompile.ir.network import Network, Subgraph
from edgecompile.ir.rewrite import replace_subgraph

ORDER = 80
SUMMARY = "operators moved to where fewer tensors wait"

# States looked at (sets of operators that have run) times operators. Where branches are many, the given order stays.
_BUDGET = 500_000


def run(network: Network) -> tuple[Network, list[str]]:
    """``order = argmin of max over steps of Σ bytes alive``; every operator still runs once, behind those it reads.

    Only the main subgraph is looked at.
    The least of all greatest sums of live bytes is found by going through sets of operators that have run, those with
    the least worst moment first (Dijkstra's algorithm with the maximum in place of the sum); Ahn et al., "Ordering
    Chaos: Memory-Aware Scheduling of Irregularly Wired Neural Networks for Edge Devices", 2020, section 3.1, has the
    idea of such sets. An order that is no better when results may lie over what they are made from is not taken.
    """
    graph = network.main
    if len(graph.operators) < 3 or not is_ordered(graph) or any(has_effect(graph, o) for o in graph.operators):
        return network, []
    given = tuple(range(len(graph.operators)))
    sizes = _Sizes.of(graph)
    worst = sizes.worst(given)
    if worst <= sizes.bound():
        return network, []
    found = _search(sizes, worst)
    if found is None or sizes.worst(found, tight=True) > sizes.worst(given, tight=True):
        return network, []
    moved = [graph.operators[index].label for place, index in enumerate(found) if place != index]
    operators = tuple(graph.operators[index] for index in found)
    return replace_subgraph(network, replace(graph, operators=operators)), moved


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """Of each operator what it reads and makes, by tensor; of each tensor its bytes and its readers as bits."""

    reads: tuple[tuple[int, ...], ...]
    makes: tuple[tuple[int, ...], ...]
    before: tuple[int, ...]
    size_bytes: dict[int, int]
    readers: dict[int, int]
    first: tuple[int, ...]

    @classmethod
    def of(cls, graph: Subgraph) -> _Sizes:
        """Constants and variables have no bytes that come and go; outputs of the graph wait for a reader beyond it."""
        producers, consumers = producers_of(graph), consumers_of(graph)
        beyond = 1 << len(graph.operators)
        moving = {
            index: tensor.size_bytes
            for index, tensor in enumerate(graph.tensors)
            if not tensor.is_constant and not tensor.is_variable and (index in producers or index in graph.inputs)
        }
        readers = {
            index: sum(1 << reader for reader in set(consumers.get(index, ()))) | (index in graph.outputs and beyond)
            for index in moving
        }
        reads = tuple(tuple(sorted({i for i in operator.inputs if i in moving})) for operator in graph.operators)
        return cls(
            reads=reads,
            makes=tuple(tuple(i for i in operator.outputs if i in moving) for operator in graph.operators),
            before=tuple(sum({1 << producers[i] for i in taken if i in producers}) for taken in reads),
            size_bytes=moving,
            readers=readers,
            first=tuple(i for i in graph.inputs if i in moving),
        )

    def bound(self) -> int:
        """No order is better than its greediest operator."""
        return max(self.sum_of(reads) + self.sum_of(makes) for reads, makes in zip(self.reads, self.makes, strict=True))

    def worst(self, order: Sequence[int], *, tight: bool = False) -> int:
        """The greatest sum of live bytes; ``tight``: where results lie over inputs that are read for the last time."""
        done, alive, worst = 0, self.sum_of(self.first), 0
        for index in order:
            during, after = self.step(done, alive, index)
            freed = [self.size_bytes[i] for i in self.reads[index] if not self.readers[i] & ~(done | 1 << index)]
            shared = min(max(freed, default=0), self.sum_of(self.makes[index])) if tight else 0
            worst, done, alive = max(worst, during - shared), done | 1 << index, after
        return worst

    def step(self, done: int, alive: int, index: int) -> tuple[int, int]:
        """Live bytes while an operator runs, and when it has run."""
        during, after = alive + self.sum_of(self.makes[index]), done | 1 << index
        freed = sum(
            self.size_bytes[i] for i in (*self.reads[index], *self.makes[index]) if not self.readers[i] & ~after
        )
        return during, during - freed

    def ready(self, done: int) -> list[int]:
        """Operators that have not run and whose inputs are there."""
        return [i for i, needed in enumerate(self.before) if not done >> i & 1 and not needed & ~done]

    def sum_of(self, tensors: Sequence[int]) -> int:
        """Bytes of some tensors."""
        return sum(self.size_bytes[index] for index in tensors)


def _search(sizes: _Sizes, limit: int) -> tuple[int, ...] | None:
    """An order whose worst moment is the least there is and below ``limit``; None for none, or for too many states."""
    everything = (1 << len(sizes.before)) - 1
    start = sizes.sum_of(sizes.first)
    waiting: list[tuple[int, int, int, int]] = [(start, 0, 0, start)]
    came: dict[int, tuple[int, int]] = {0: (-1, -1)}
    best: dict[int, int] = {0: start}
    settled: set[int] = set()
    while waiting and len(settled) * len(sizes.before) < _BUDGET:
        worst, _, done, alive = heapq.heappop(waiting)
        if done == everything:
            return _order(came, done)
        if done in settled:
            continue
        settled.add(done)
        for index in sizes.ready(done):
            during, after = sizes.step(done, alive, index)
            reached, state = max(worst, during), done | 1 << index
            if reached < limit and reached < best.get(state, limit):
                best[state], came[state] = reached, (done, index)
                # Among equals those that have come furthest, so that a good order is followed to its end.
                heapq.heappush(waiting, (reached, -state.bit_count(), state, after))
    return None


def _order(came: dict[int, tuple[int, int]], done: int) -> tuple[int, ...]:
    order: list[int] = []
    while done:
        done, index = came[done]
        order.append(index)
    return tuple(reversed(order))
