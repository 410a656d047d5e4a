"""A network computed operator by operator over all samples, so that weights can change just before they are read."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.sites import Site, bias_of, weights_of
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_BATCH = 64
# Bytes that values of one network may take at a time.
_ROOM = 1 << 30


class Walk:
    """Values of the tensors that are still to be read, float32[samples, *shape], up to some operator.

    Raises what ``Simulation`` raises: EC350 for an operator that has no simulation.
    """

    def __init__(self, network: Network, samples: Samples) -> None:
        self._main = network.main
        self._simulation = Simulation(network)
        self._steps = self._simulation.steps
        self._done = 0
        self._last = {index: number for number in self._steps for index in self._main.operators[number].inputs}
        self._values = {
            index: np.asarray(x).reshape(len(x), *self._main.tensors[index].shape)
            for index, x in zip(self._main.inputs, samples.x, strict=True)
        }

    def value(self, number: int, slot: int) -> Array:
        """What operator ``number`` reads in ``slot``; everything before it is computed. Numbers may only rise."""
        while self._done < len(self._steps) and self._steps[self._done] < number:
            self._run(self._steps[self._done])
            self._done += 1
        return self._values[self._main.operators[number].inputs[slot]]

    def replace(self, network: Network, site: Site) -> None:
        """Go on with the weights and the bias that ``network`` has for the site."""
        self._simulation.weights[site.key].assign(weights_of(network, site))
        bias = bias_of(network, site)
        if bias is not None:
            self._simulation.biases[site.key].assign(bias)

    def _run(self, number: int) -> None:
        operator = self._main.operators[number]
        read = [index for index in dict.fromkeys(operator.inputs) if index in self._values]
        count = len(next(iter(self._values.values())))
        pieces = []
        for start in range(0, count, _BATCH):
            part = {index: self._values[index][start : start + _BATCH] for index in read}
            pieces.append([y.numpy() for y in self._simulation.operator(number, part)])
        for place, index in enumerate(operator.outputs):
            self._values[index] = np.concatenate([piece[place] for piece in pieces])
        for index in read:
            if self._last[index] == number:
                del self._values[index]


def most_samples(network: Network) -> int:
    """How many samples a walk can take at once without its values growing beyond a bound."""
    main = network.main
    last = {index: number for number, operator in enumerate(main.operators) for index in operator.inputs}
    live = {index: main.tensors[index].elements for index in main.inputs}
    peak = sum(live.values())
    for number, operator in enumerate(main.operators):
        live.update({index: main.tensors[index].elements for index in operator.outputs})
        peak = max(peak, sum(live.values()))
        for index in operator.inputs:
            if last[index] == number:
                live.pop(index, None)
    return max(_BATCH, _ROOM // (4 * max(peak, 1)))
