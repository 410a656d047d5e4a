"""Channels out of a network: from importances and a goal to the smaller network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.structure.choose import Choice, choose
from edgecompile.compress.structure.counts import Shrinking
from edgecompile.compress.structure.groups import Grouping
from edgecompile.compress.structure.remove import Kept, kept_of, remove
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pruned:
    """``network`` is without the channels, ``kept`` flags the indices of the axes of the network before."""

    network: Network
    kept: Kept
    choice: Choice


def prune(
    network: Network,
    grouping: Grouping,
    importances: Sequence[Array],
    *,
    measure: str,
    goal: float,
    least: int = 4,
    multiple: int = 4,
    share: float = 0.0,
) -> Pruned:
    """The network (constants its operators' own) with channels taken out until ``measure`` is at most ``goal``.

    ``goal`` is in the measure's units; ``channels`` counts those of all groups. The result can miss the goal: see
    ``choice.reached``.
    """
    shrinking = Shrinking(network, measure)
    if measure == "channels":
        shrinking.total = sum(len(group.channels) for group in grouping.groups)
    choice = choose(grouping.groups, importances, shrinking, goal, least, multiple, share)
    kept = kept_for(network, grouping, choice.gone)
    return Pruned(network=remove(network, kept), kept=kept, choice=choice)


def kept_for(network: Network, grouping: Grouping, gone: Sequence[Sequence[int]]) -> Kept:
    """Flags for every axis that loses something when channels (by place in their group) go."""
    nodes = np.zeros(grouping.count, dtype=bool)
    for group, places in zip(grouping.groups, gone, strict=True):
        for place in places:
            nodes[group.slices[place]] = True
    tensors = network.main.tensors
    sizes = {(tensor, axis): tensors[tensor].shape[axis] for tensor, axis in grouping.starts}
    return kept_of(grouping.starts, sizes, nodes)
