"""Where a buffer goes among those already placed: the lowest gap that is free for its whole life.

Blocks are parallel tuples of sizes and spans, because the search places some ten thousand of them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(frozen=True)
class Blocks:
    """Buffers to place: aligned sizes in bytes, spans ``(first, last)`` in steps, and who meets whom in time.

    ``below[over, under]``: block ``over`` may share bytes with ``under`` where it begins so many bytes below it, or
    more (negative: at most so many above it). Rivals without an entry share nothing.
    """

    sizes: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    rivals: tuple[frozenset[int], ...]
    below: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sizes)

    def barred(self, index: int, rival: int, offset: int) -> tuple[int, int]:
        """Between which offsets, both excluded, ``index`` may not begin, for its rival is at ``offset``."""
        down = min(self.sizes[index], self.below.get((index, rival), self.sizes[index]))
        up = min(self.sizes[rival], self.below.get((rival, index), self.sizes[rival]))
        return offset - down, offset + up


def blocks(
    sizes: Sequence[int], spans: Sequence[tuple[int, int]], below: Mapping[tuple[int, int], int] | None = None
) -> Blocks:
    """Blocks whose rivals are found: two blocks are rivals when their spans share a step."""
    order = sorted(range(len(sizes)), key=lambda index: spans[index])
    rivals: list[set[int]] = [set() for _ in sizes]
    alive: list[int] = []
    for index in order:
        alive = [other for other in alive if spans[other][1] >= spans[index][0]]
        for other in alive:
            rivals[index].add(other)
            rivals[other].add(index)
        alive.append(index)
    return Blocks(tuple(sizes), tuple(spans), tuple(frozenset(found) for found in rivals), below or {})


def live_bytes(blocks: Blocks, steps: int) -> list[int]:
    """Bytes alive in each step; their maximum is a lower bound for every placement."""
    change = [0] * (steps + 1)
    for size, (first, last) in zip(blocks.sizes, blocks.spans, strict=True):
        change[first] += size
        change[last + 1] -= size
    return list(accumulate(change[:steps]))


def lowest_gap(barred: Iterable[tuple[int, int]]) -> int:
    """The lowest offset that is inside none of the ranges, which are open and sorted by their beginning."""
    offset = 0
    for begin, end in barred:
        if begin >= offset:
            break
        if end > offset:
            offset = end
    return offset


def place(blocks: Blocks, order: Iterable[int], limit: int | None = None) -> tuple[list[int], int] | None:
    """Offsets (by block) and height when blocks are put one by one into their lowest gap.

    None as soon as the height reaches ``limit``: the order is no improvement.
    """
    sizes, rivals = blocks.sizes, blocks.rivals
    offsets, height = [-1] * len(blocks), 0
    for index in order:
        barred: list[tuple[int, int]] = []
        for rival in rivals[index]:
            if offsets[rival] >= 0:
                insort(barred, blocks.barred(index, rival, offsets[rival]))
        offset = lowest_gap(barred)
        height = max(height, offset + sizes[index])
        if limit is not None and height >= limit:
            return None
        offsets[index] = offset
    return offsets, height


def orders(blocks: Blocks) -> dict[str, list[int]]:
    """Orders worth trying, by name; the first is that of TensorFlow Lite Micro's GreedyMemoryPlanner.

    It takes the last of equal sizes first, because it enters them from the tail of the list that it sorts
    (tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc, CalculateOffsetsIfNeeded).
    """
    sizes, spans = blocks.sizes, blocks.spans
    length = [last - first + 1 for first, last in spans]
    indices = range(len(blocks))
    return {
        "greedy by size": sorted(indices, key=lambda i: (-sizes[i], -i)),
        "greedy by size, first of equal ones first": sorted(indices, key=lambda i: -sizes[i]),
        "greedy by breadth": _by_breadth(blocks),
        "greedy by size times duration": sorted(indices, key=lambda i: -sizes[i] * length[i]),
        "greedy by duration": sorted(indices, key=lambda i: (-length[i], -sizes[i])),
        "greedy by first use": sorted(indices, key=lambda i: (spans[i][0], -sizes[i])),
        "greedy by last use": sorted(indices, key=lambda i: (-spans[i][1], -sizes[i])),
    }


def _by_breadth(blocks: Blocks) -> list[int]:
    """Steps by bytes alive, descending; within a step its blocks by size, descending.

    Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 4.1.
    """
    steps = 1 + max((last for _, last in blocks.spans), default=-1)
    live = live_bytes(blocks, steps)
    alive_at: list[list[int]] = [[] for _ in range(steps)]
    for index, (first, last) in enumerate(blocks.spans):
        for step in range(first, last + 1):
            alive_at[step].append(index)
    order: dict[int, None] = {}
    for step in sorted(range(steps), key=lambda step: -live[step]):
        order.update(dict.fromkeys(sorted(alive_at[step], key=lambda i: -blocks.sizes[i])))
    return list(order)
