"""Put the channels of a network in another order: it computes the same from weights that lie differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.compress.sites import with_constants
from edgecompile.compress.structure.groups import Group, Grouping
from edgecompile.compress.structure.importance import indices_of
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
Moves = Mapping[int, Mapping[int, Array]]  # tensor -> axis -> which index comes to each


def places_on(grouping: Grouping, group: Group, place: tuple[int, int], size: int) -> Array:
    """Where the group's channels lie on an axis (tensor, axis) of ``size``: ``int[channels, indices a channel]``."""
    return np.stack(list(indices_of(group, grouping, place, size)))


def order_on(places: Array, order: Array, size: int) -> Array:
    """Which index comes to each of an axis of ``size`` when channels at ``places`` take their ``order``."""
    found = np.arange(size)
    found[places] = places[order]
    return found


def moves_of(network: Network, grouping: Grouping, orders: Sequence[Array]) -> Moves:
    """What moves in the constants of a network when the channels of each group take their order of ``orders``.

    ``orders[g][i]`` is the channel of group g, by its place there, that comes to place i.
    """
    main = network.main
    found: dict[int, dict[int, Array]] = {}
    for group, order in zip(grouping.groups, orders, strict=True):
        for tensor, axis in group.axes if (order != np.arange(len(order))).any() else ():
            if main.tensors[tensor].is_constant:
                size = main.tensors[tensor].shape[axis]
                own = order_on(places_on(grouping, group, (tensor, axis), size), order, size)
                along = found.setdefault(tensor, {})
                # Several groups may share an axis: each moves its own indices.
                along[axis] = along[axis][own] if axis in along else own
    return found


def reordered(network: Network, moves: Moves) -> Network:
    """The network (constants its operators' own) with its constants' indices moved."""
    arrays = {tensor: network.main.tensors[tensor].array for tensor in moves}
    return with_constants(network, {t: moved(array, moves[t]) for t, array in arrays.items() if array is not None})


def moved(array: Array, along: Mapping[int, Array]) -> Array:
    """The array with the indices of each axis in another order."""
    for axis, order in along.items():
        array = np.take(array, order, axis=axis)
    return np.ascontiguousarray(array)
