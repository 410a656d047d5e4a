"""How much each channel matters when the layers that read it are fitted to do without it: surgery on whole channels.

Hassibi and Stork, "Optimal Brain Surgeon", 1992, equation 5, for several weights at once: without the columns S of its
weights W, a layer whose inputs have the covariance H, and whose other weights are fitted again, is off by
tr(W_S [H⁻¹_SS]⁻¹ W_Sᵀ). Channels that others can stand in for cost little, however large their weights are.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot.inputs import Inputs
from edgecompile.compress.sites import Site, weights_of
from edgecompile.compress.structure.groups import Group, Grouping
from edgecompile.compress.structure.importance import IN, Contribution, indices_of, readers
from edgecompile.compress.structure.reconstruct import RIDGE, can_fit
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
Place = tuple[int, int]  # (tensor of weights, axis of the input channels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """A layer that can be fitted: ``weights`` [o, columns], ``inverse`` of its inputs' covariance.

    ``columns`` are those of each input channel, ``worth`` [o] how much the outputs of the network heed an error of an
    output of the layer.
    """

    weights: Array
    inverse: Array
    columns: tuple[Array, ...]
    worth: Array


class Elimination:
    """Input channels leave a reader one after the other, and what is left is fitted each time."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._weights, self._inverse = reader.weights.copy(), reader.inverse.copy()

    def cost(self, channels: Sequence[int]) -> float:
        """How far the outputs of the network move, in the mean square, when these go as well."""
        columns = self._columns(channels)
        weights = self._weights[:, columns]
        fitted = np.linalg.solve(self._inverse[np.ix_(columns, columns)], weights.T)
        return float(self._reader.worth @ np.einsum("oi,io->o", weights, fitted))

    def remove(self, channels: Sequence[int]) -> None:
        """Let them go: OBS equation 5 for the weights, and the inverse of the covariance of what is left."""
        gone = self._columns(channels)
        share = np.linalg.solve(self._inverse[np.ix_(gone, gone)], self._inverse[gone])
        self._weights -= self._weights[:, gone] @ share
        self._inverse -= self._inverse[:, gone] @ share

    def _columns(self, channels: Sequence[int]) -> Array:
        return np.concatenate([self._reader.columns[channel] for channel in channels])


def by_refit(
    network: Network, grouping: Grouping, contributions: dict[str, Contribution], x: Sequence[Array], seed: int = 0
) -> tuple[Array, ...]:
    """For each group what its channels cost, in the order in which it loses them best: the next is never cheaper.

    A layer that ``reconstruct`` cannot fit counts with what it takes of a channel to first order.
    """
    places = {(site.weights, IN[site.operator]): site for site in readers(network) if site.key in contributions}
    inputs = Inputs(network, None, Samples(x=tuple(x)), seed)
    fitted = {
        place: _reader(network, site, inputs, contributions[site.key])
        for place, site in places.items()
        if can_fit(network, site)
    }
    unfit = {
        place: np.square(contributions[site.key].inputs).mean(axis=0)
        for place, site in places.items()
        if place not in fitted
    }
    return tuple(_costs(network, group, grouping, fitted, unfit) for group in grouping.groups)


def _reader(network: Network, site: Site, inputs: Inputs, contribution: Contribution) -> Reader:
    weights = weights_of(network, site)
    rows = weights.reshape(len(weights), -1).astype(np.float64)
    covariance = inputs.of(site).hessian(centred=True)[0]
    ridge = max(RIDGE * float(np.trace(covariance)) / len(covariance), 1e-12)
    channels = np.arange(rows.shape[1]) % weights.shape[-1]
    return Reader(
        weights=rows,
        inverse=np.linalg.inv(covariance + ridge * np.eye(len(covariance))),
        columns=tuple(np.flatnonzero(channels == channel) for channel in range(weights.shape[-1])),
        worth=_worth(rows, covariance, channels, contribution),
    )


def _worth(rows: Array, covariance: Array, channels: Array, contribution: Contribution) -> Array:
    """Outputs weighed by what their biases do, the layer as a whole by what its input channels do, unfitted."""
    assert contribution.outputs is not None
    worth = np.square(contribution.outputs).mean(axis=0)
    alone = sum(
        float(worth @ np.einsum("oi,ij,oj->o", rows[:, one], covariance[np.ix_(one, one)], rows[:, one]))
        for one in (channels == channel for channel in range(int(channels.max()) + 1))
    )
    return np.asarray(worth * float(np.square(contribution.inputs).mean(axis=0).sum()) / max(alone, 1e-30))


def _costs(
    network: Network, group: Group, grouping: Grouping, fitted: dict[Place, Reader], unfit: dict[Place, Array]
) -> Array:
    """Cheapest first, each priced without those before it; a price is taken again when its turn comes."""
    tensors = network.main.tensors
    indices = {
        place: [part.tolist() for part in indices_of(group, grouping, place, tensors[place[0]].shape[place[1]])]
        for place in group.axes
        if place in fitted or place in unfit
    }
    states = {place: Elimination(fitted[place]) for place in indices if place in fitted}

    def price(channel: int) -> float:
        first_order = sum(float(unfit[place][indices[place][channel]].sum()) for place in indices if place in unfit)
        return first_order + sum(state.cost(indices[place][channel]) for place, state in states.items())

    queue = [(price(channel), channel) for channel in range(len(group.channels))]
    heapq.heapify(queue)
    found, last = np.zeros(len(group.channels)), 0.0
    while queue:
        _, channel = heapq.heappop(queue)
        cost = price(channel)
        if queue and cost > queue[0][0]:
            heapq.heappush(queue, (cost, channel))
            continue
        # Never equal, so that sorting gives this order back.
        last = found[channel] = max(cost, float(np.nextafter(last, np.inf)))
        for place, state in states.items():
            state.remove(indices[place][channel])
    return found
