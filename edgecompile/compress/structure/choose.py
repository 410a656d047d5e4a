"""Which channels to take out: those that matter least for what they cost, over all groups together."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.structure.counts import Shrinking
from edgecompile.compress.structure.groups import Group

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """``gone[g]``: places of group g's channels to take out. ``total`` is then counted, ``goal`` was asked."""

    gone: tuple[tuple[int, ...], ...]
    total: float
    goal: float

    @property
    def reached(self) -> bool:
        """Whether as little is left as was asked."""
        return self.total <= self.goal


def choose(
    groups: Sequence[Group],
    importances: Sequence[Array],
    shrinking: Shrinking,
    goal: float,
    least: int,
    multiple: int,
    share: float = 0.0,
) -> Choice:
    """Take out chunks, least importance for what they save first, until ``shrinking.total <= goal``.

    Every axis keeps at least ``least`` indices, every group at least the share ``share`` of its channels, and a
    multiple of ``multiple`` once it loses any. ``shrinking`` is used up. Savings only get smaller while the network
    does, and the next chunk of a group is never less important: so an entry of the queue that is priced again when it
    comes up, and still is the cheapest, is the cheapest of all.
    """
    order = [np.argsort(importance, kind="stable") for importance in importances]
    taken = [0] * len(groups)

    def price(number: int) -> float | None:
        left = len(groups[number].channels) - taken[number]
        size = _chunk(left, multiple)
        if left - size < share * len(groups[number].channels) or not _fits(groups[number], size, shrinking, least):
            return None
        places = order[number][taken[number] : taken[number] + size]
        return float(importances[number][places].sum()) / max(shrinking.saving(groups[number], size), 1e-9)

    queue = [(cost, number) for number in range(len(groups)) if (cost := price(number)) is not None]
    heapq.heapify(queue)
    while queue and shrinking.total > goal:
        _, number = heapq.heappop(queue)
        cost = price(number)
        if cost is None:
            continue
        if not queue or cost <= queue[0][0]:
            size = _chunk(len(groups[number].channels) - taken[number], multiple)
            shrinking.shrink(groups[number], size)
            taken[number] += size
            cost = price(number)
        if cost is not None:
            heapq.heappush(queue, (cost, number))
    gone = tuple(tuple(sorted(order[number][: taken[number]].tolist())) for number in range(len(groups)))
    return Choice(gone=gone, total=shrinking.total, goal=goal)


def _chunk(left: int, multiple: int) -> int:
    """How many channels go next, so that a multiple is left."""
    return left % multiple or multiple


def _fits(group: Group, size: int, shrinking: Shrinking, least: int) -> bool:
    """Whether enough would be left everywhere."""
    return all(
        shrinking.size(tensor, axis) - each * size >= max(least, 1) for (tensor, axis), each in group.axes.items()
    )
