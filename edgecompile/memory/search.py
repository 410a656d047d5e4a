"""A search for a lower arena than the greedy orders find, with a budget counted in placed blocks.

Placing blocks in the order of their offsets in an optimal packing, each into its lowest gap,
reproduces a packing of that height: so searching orders loses nothing. Few blocks are searched
exhaustively (branch and bound), many by moving the blocks at the top to the front.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from edgecompile.memory.placement import Blocks, lowest_gap, orders, place

EXHAUSTIVE_BLOCKS = 12
BUDGET = 24_000


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Offsets by block, the height in bytes, and how it was found."""

    offsets: tuple[int, ...]
    height: int
    method: str


def pack(blocks: Blocks, lower_bound: int, budget: int = BUDGET, seed: int = 0) -> Packing:
    """The lowest packing found; never higher than greedy by size, and at ``lower_bound`` the search stops.

    ``budget`` counts placed blocks, so that equal input gives equal output on any machine.
    """
    best, order = _greedy(blocks, lower_bound)
    if best.height > lower_bound and len(blocks) <= EXHAUSTIVE_BLOCKS:
        best = _BranchAndBound(blocks, lower_bound, budget, best).run()
    elif best.height > lower_bound:
        best = _improve(blocks, lower_bound, budget, best, order, random.Random(seed))
    return best


def _greedy(blocks: Blocks, lower_bound: int) -> tuple[Packing, list[int]]:
    best, best_order = None, []
    for name, order in orders(blocks).items():
        placed = place(blocks, order, best.height if best else None)
        if placed is not None:
            best, best_order = Packing(offsets=tuple(placed[0]), height=placed[1], method=name), order
            if best.height <= lower_bound:
                break
    assert best is not None  # the first order has no limit to reach
    return best, best_order


def _improve(
    blocks: Blocks, lower_bound: int, budget: int, best: Packing, order: list[int], draw: random.Random
) -> Packing:
    """Local search: move a block that reaches the top, or one of its rivals, to an earlier place in the order.

    Orders as good as the present one are accepted too, which lets the search cross plains.
    """
    height, offsets = best.height, list(best.offsets)
    for _ in range(budget // len(blocks)):
        candidate = _neighbour(blocks, order, offsets, height, draw)
        placed = place(blocks, candidate, height + 1)
        if placed is None:
            continue
        order, (offsets, height) = candidate, placed
        if height < best.height:
            best = Packing(offsets=tuple(offsets), height=height, method="local search over orders")
        if height <= lower_bound:
            break
    return best


def _neighbour(blocks: Blocks, order: list[int], offsets: list[int], height: int, draw: random.Random) -> list[int]:
    top = [index for index in order if offsets[index] + blocks.sizes[index] == height]
    chosen = draw.choice(top)
    rivals = sorted(blocks.rivals[chosen])
    if rivals and draw.random() < 0.5:
        chosen = draw.choice(rivals)
    position = order.index(chosen)
    target = draw.randrange(position) if position else draw.randrange(len(order))
    rest = order[:position] + order[position + 1 :]
    return [*rest[:target], chosen, *rest[target:]]


class _BranchAndBound:
    """All orders in which offsets do not fall, cut where they cannot beat the best; exact within the budget."""

    def __init__(self, blocks: Blocks, lower_bound: int, budget: int, best: Packing) -> None:
        self.blocks, self.lower_bound, self.best = blocks, lower_bound, best
        self.left, self.offsets = budget, [-1] * len(blocks)

    def run(self) -> Packing:
        """The best packing found."""
        self._extend(-1, 0, 0, sorted(range(len(self.blocks)), key=lambda i: -self.blocks.sizes[i]))
        return self.best

    def _extend(self, last: int, floor: int, height: int, waiting: list[int]) -> None:
        if not waiting:
            method = "branch and bound over orders"
            self.best = Packing(offsets=tuple(self.offsets), height=height, method=method)
            return
        # Whatever comes next lies at `floor` or above it, the largest block too.
        if floor + self.blocks.sizes[waiting[0]] >= self.best.height:
            return
        for position, index in enumerate(waiting):
            if self.left <= 0 or self.best.height <= self.lower_bound:
                return
            self.left -= 1
            offset = self._lowest(index)
            top = max(height, offset + self.blocks.sizes[index])
            # Blocks at one offset may come in any order: take the one with rising numbers.
            if top < self.best.height and (offset, index) > (floor, last):
                self.offsets[index] = offset
                self._extend(index, offset, top, waiting[:position] + waiting[position + 1 :])
                self.offsets[index] = -1

    def _lowest(self, index: int) -> int:
        offsets, rivals = self.offsets, self.blocks.rivals[index]
        return lowest_gap(sorted(self.blocks.barred(index, r, offsets[r]) for r in rivals if offsets[r] >= 0))
