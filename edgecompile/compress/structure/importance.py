"""How much each channel matters: by the size of its weights, or by how far the outputs move without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site, sites_of, weights_of
from edgecompile.compress.structure.groups import Group, Grouping
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
# The axis of the input channels: slices there are all that an operator takes of a channel.
IN = {"CONV_2D": 3, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 3, "CONV_3D": 3}
_OUT = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0, "CONV_3D": 4, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class Contribution:
    """How quantities, one a row, move with one layer, to first order.

    ``inputs`` [rows, i]: when input channel i is cut off there; ``outputs`` [rows, o]: for each unit that output o is
    shifted by, None for a layer without a bias.
    """

    inputs: Array
    outputs: Array | None


def readers(network: Network) -> tuple[Site, ...]:
    """The sites whose weights mix input channels."""
    return tuple(site for site in sites_of(network) if site.operator in IN)


def by_magnitude(network: Network, grouping: Grouping) -> tuple[Array, ...]:
    """For each group the channels' share of the energy (sum of squares) of the weights that make and read them.

    Shares of a tensor sum to 1, so that a layer's scale, which says nothing of how much it matters, does not count.
    """
    shares: dict[tuple[int, int], Array] = {}
    for site in sites_of(network):
        energy = weights_of(network, site).astype(np.float64) ** 2
        for axis in {places[site.operator] for places in (IN, _OUT) if site.operator in places}:
            summed = energy.sum(tuple(i for i in range(energy.ndim) if i != axis))
            shares[site.weights, axis] = summed / (energy.sum() or 1.0)
    return tuple(_per_channel(group, grouping, shares)[:, 0] for group in grouping.groups)


def by_outputs(network: Network, grouping: Grouping, contributions: Mapping[str, Contribution]) -> tuple[Array, ...]:
    """For each group the mean square, over rows, of what all readers of a channel take of it together.

    ``contributions`` by site key: see ``sensitivity.contributions``. This is the diagonal of the Gauss-Newton matrix
    for gates on channels (Molchanov et al. 2019, "Importance Estimation", for gates on weights).
    """
    rows = {
        (site.weights, IN[site.operator]): contributions[site.key].inputs.T
        for site in readers(network)
        if site.key in contributions
    }
    return tuple((_per_channel(group, grouping, rows) ** 2).mean(axis=1) for group in grouping.groups)


def _per_channel(group: Group, grouping: Grouping, values: Mapping[tuple[int, int], Array]) -> Array:
    """``[channels, k]``: for each channel the sum of ``values[place][index]`` over its slices."""
    width = max((array.reshape(len(array), -1).shape[1] for array in values.values()), default=1)
    total = np.zeros((len(group.channels), width))
    for place in group.axes:
        if place not in values:
            continue
        array = values[place].reshape(len(values[place]), -1)
        for channel, indices in enumerate(indices_of(group, grouping, place, len(array))):
            total[channel] += array[indices].sum(axis=0)
    return total


def indices_of(group: Group, grouping: Grouping, place: tuple[int, int], size: int) -> Iterator[Array]:
    """For each channel of a group its indices on one (tensor, axis) of that size."""
    start = grouping.starts[place]
    for nodes in group.slices:
        yield nodes[(nodes >= start) & (nodes < start + size)] - start
