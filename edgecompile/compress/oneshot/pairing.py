"""Which channels should be neighbours, so that two by two blocks hold weights that go, or stay, together.

A block costs what its four weights are worth, or, where that is more than the least block that stays, only what staying
costs; the sum over a tensor's blocks is what a pairing of channels loses. With the pairs of the other axis as they are,
each pair of channels has its own share of that sum, so that the best pairing is a matching of least weight: found
nearly by exchanging partners for as long as it gains. One group of channels after the other, in rounds (after Pool and
Yu, "Channel Permutations for N:M Sparsity", 2021, who do so for two in four).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgecompile.compress.oneshot.masks import block_sums
from edgecompile.compress.structure.groups import Group, Grouping
from edgecompile.compress.structure.reorder import order_on, places_on

Array = np.ndarray[Any, Any]
_ROUNDS = 4
_SWEEPS = 50
# Comparisons of two blocks that all rounds may take: some seconds.
_MOST_WORK = 4_000_000_000


def paired(grouping: Grouping, scores: Mapping[int, Array], shares: Mapping[int, float]) -> tuple[Array, ...]:
    """The order of each group's channels, by their places in the group, as ``reorder.reordered`` takes it.

    ``scores``: by weights' tensor ``[o, ..., i]`` of scores, ``shares``: which share of its blocks goes. Channels keep
    their places where they are neighbours on one axis and not on another, and where there would be too many to compare.
    """
    worth = {tensor: array / max(float(array.sum()), 1e-300) for tensor, array in scores.items()}
    orders = [np.arange(len(group.channels)) for group in grouping.groups]
    work = 0
    for _ in range(_ROUNDS):
        least = {tensor: _least_kept(array, shares[tensor]) for tensor, array in worth.items()}
        changed = False
        for number, group in enumerate(grouping.groups):
            axes = _axes(grouping, group, worth)
            work += sum(len(group.channels) * worth[tensor].size // 2 for tensor, _, _ in axes)
            if not axes or work > _MOST_WORK:
                continue
            costs = sum(_costs(worth[tensor], axis, places, least[tensor]) for tensor, axis, places in axes)
            assert isinstance(costs, np.ndarray)
            order = _matched(costs)
            changed |= not np.array_equal(order, np.arange(len(order)))
            orders[number] = orders[number][order]
            for tensor, axis, places in axes:
                worth[tensor] = np.take(worth[tensor], order_on(places, order, worth[tensor].shape[axis]), axis=axis)
        if not changed:
            break
    return tuple(orders)


def _axes(grouping: Grouping, group: Group, worth: Mapping[int, Array]) -> list[tuple[int, int, Array]]:
    """Tensor, axis and places of the group's channels; nothing where places 0 and 1, 2 and 3... are no blocks."""
    found = []
    for tensor, axis in group.axes:
        if tensor in worth and axis in (0, worth[tensor].ndim - 1):
            places = places_on(grouping, group, (tensor, axis), worth[tensor].shape[axis])
            first, second = places[0 : len(places) // 2 * 2 : 2], places[1::2]
            if (first % 2).any() or (second != first + 1).any():
                return []
            found.append((tensor, axis, places))
    return found


def _least_kept(worth: Array, share: float) -> float:
    sums = np.sort(block_sums(worth))
    return float(sums[min(round(share * len(sums)), len(sums) - 1)])


def _costs(worth: Array, axis: int, places: Array, least: float) -> Array:
    """``float64[channels, channels]``: what each two as neighbours would lose in this tensor, the diagonal aside."""
    # [channels, ..., the other axis of channels], and that one in its pairs.
    halves = worth if axis == 0 else np.moveaxis(np.moveaxis(worth, -1, 0), 1, -1)
    halves = np.pad(halves, [(0, 0)] * (halves.ndim - 1) + [(0, halves.shape[-1] % 2)])
    halves = halves.reshape(*halves.shape[:-1], -1, 2).sum(axis=-1)
    rows = halves[places].reshape(len(places), -1).astype(np.float32)
    return np.stack([np.minimum(row + rows, np.float32(least)).sum(axis=1, dtype=np.float64) for row in rows])


def _matched(costs: Array) -> Array:
    """Channels in pairs of little cost, a last one without a partner where it is: two pairs exchange while it gains."""
    order = np.arange(len(costs))
    count = len(order) // 2
    gains = 1e-9 * float(np.abs(costs).max())
    for _ in range(_SWEEPS):
        changed = False
        for pair in range(count):
            a, b = order[2 * pair], order[2 * pair + 1]
            c, d = order[0 : 2 * count : 2], order[1 : 2 * count : 2]
            now = costs[a, b] + costs[c, d]
            ways = np.stack([costs[a, c] + costs[b, d] - now, costs[a, d] + costs[b, c] - now])
            ways[:, pair] = 0.0
            way, other = divmod(int(np.argmin(ways)), count)
            if ways[way, other] >= -gains:
                continue
            mine, theirs = 2 * pair + 1, 2 * other + (0 if way == 0 else 1)
            order[[mine, theirs]] = order[[theirs, mine]]
            changed = True
        if not changed:
            break
    return order
