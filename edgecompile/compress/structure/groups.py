"""The channels of a network that can be taken out: what goes together, and what must stay, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.sites import sites_of
from edgecompile.compress.structure import tie_shapes, tie_values, tie_weights
from edgecompile.compress.structure.channels import Channels
from edgecompile.ir.network import Network, Subgraph

Array = np.ndarray[Any, Any]
_TIES = {**tie_shapes.TIES, **tie_values.TIES, **tie_weights.TIES}
UNDERSTOOD = frozenset(_TIES)
# The axis of the output channels in an operator's weights: what has one can make fewer channels.
_OUT = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0, "CONV_3D": 4, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Channels of the same standing: any of them can be taken out, and the rest of the network fits again.

    ``channels`` are the classes' roots; ``slices[i]`` are all nodes of channel i. ``axes`` gives for
    each (tensor, axis) touched how many indices a channel holds there. ``makers`` are the names of the
    tensors that operators with weights make it with.
    """

    channels: tuple[int, ...]
    slices: tuple[Array, ...]
    axes: Mapping[tuple[int, int], int]
    makers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouping:
    """All groups of a network whose constants are each operator's own; ``frozen``: layer name to why it must stay."""

    groups: tuple[Group, ...]
    frozen: Mapping[str, str]
    starts: Mapping[tuple[int, int], int]
    count: int


def group(network: Network) -> Grouping:
    """Find the groups of the main subgraph."""
    main = network.main
    channels = tie(main)
    reasons, roots = channels.reasons(), channels.roots()
    outs = _outputs(network)
    makers: dict[int, set[str]] = {}
    frozen: dict[str, str] = {}
    for name, (tensor, axis) in outs.items():
        nodes = roots[channels.axis(tensor, axis)]
        for root in set(nodes.tolist()):
            if root in reasons:
                frozen.setdefault(name, reasons[root])
            else:
                makers.setdefault(root, set()).add(name)
    return Grouping(groups=_alike(channels, roots, makers), frozen=frozen, starts=channels.starts, count=channels.count)


def tie(main: Subgraph) -> Channels:
    """All ties of a subgraph, and everything frozen that the outside or an operator not understood sees."""
    channels = Channels(main)
    for operator in main.operators:
        rule = _TIES.get(operator.name)
        why = rule(channels, operator) if rule else "it is not understood"
        if why is not None:
            for tensor in (*operator.inputs, *operator.outputs):
                if tensor >= 0:
                    channels.freeze_tensor(tensor, f"`{operator.label}` reads or makes it, and {why}")
    for tensor in main.inputs:
        channels.freeze_tensor(tensor, "it is an input of the network")
    for tensor in main.outputs:
        channels.freeze_tensor(tensor, "it is an output of the network")
    for index, value in enumerate(main.tensors):
        if value.is_variable or value.is_sparse:
            channels.freeze_tensor(index, "it is state, or stored without its zeros")
    channels.settle()
    return channels


def _outputs(network: Network) -> dict[str, tuple[int, int]]:
    """Site key to the weights' axis of output channels. A depthwise kernel counts: alone it may make new channels."""
    return {
        site.key: (site.weights, _OUT[site.operator])
        for site in sites_of(network)
        if site.operator in _OUT and network.main.tensors[site.weights].dtype == "float32"
    }


def _alike(channels: Channels, roots: Array, makers: Mapping[int, set[str]]) -> tuple[Group, ...]:
    """Channels with the same counts on the same axes are one group."""
    places = np.empty(channels.count, dtype=np.int64)
    axes = list(channels.starts)
    for number, (tensor, axis) in enumerate(axes):
        places[channels.axis(tensor, axis)] = number
    order = np.argsort(roots, kind="stable")
    bounds = np.flatnonzero(np.diff(roots[order])) + 1
    found: dict[tuple[tuple[int, int], ...], list[Array]] = {}
    for nodes in np.split(order, bounds):
        if int(roots[nodes[0]]) not in makers:
            continue
        numbers, counts = np.unique(places[nodes], return_counts=True)
        key = tuple(zip(numbers.tolist(), counts.tolist(), strict=True))
        found.setdefault(key, []).append(np.sort(nodes))
    return tuple(
        Group(
            channels=tuple(int(roots[nodes[0]]) for nodes in several),
            slices=tuple(several),
            axes={axes[number]: count for number, count in key},
            makers=tuple(sorted({name for nodes in several for name in makers[int(roots[nodes[0]])]})),
        )
        for key, several in found.items()
    )
