"""The inputs of each layer on the same samples, in an integer network and in the float one that it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.integers import places_of, real_bias, real_weights
from edgecompile.compress.oneshot.moments import Moments, moments
from edgecompile.compress.oneshot.patches import VALUES, patches
from edgecompile.compress.oneshot.walk import Walk, most_samples
from edgecompile.compress.origin import all_bound
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.sites import Site, sites_of
from edgecompile.compress.subject import Subject
from edgecompile.ir.network import Network
from edgecompile.libs.affine import Port, dequantize, quantize

Array = np.ndarray[Any, Any]
_BATCH = 64
# Rows that moments are taken over: so many for each column, and at least so many.
_ROWS_PER_COLUMN = 128
_ROWS = 65536


class Paired:
    """Layers in the order of execution; a layer whose weights ``replace`` changed feeds those behind it so.

    Layers used more than once are left out: their integers would have to suit all uses at once. So are those whose
    inputs cannot be laid out as a matrix (LSTM, GATHER) and those of an axis' products (BATCH_MATMUL).
    """

    def __init__(self, subject: Subject, floats: Network, samples: Samples, seed: int) -> None:
        samples = samples.take(slice(0, min(most_samples(subject.network), most_samples(floats))))
        self._seed, self._count = seed, len(samples)
        self._integers = _IntegerWalk(subject, samples)
        self._floats = Walk(floats, samples)
        self._networks = subject.network, floats

    def sites(self) -> Iterator[tuple[Site, Site]]:
        """Sites of the integer network with those of the float one, in order."""
        integers, floats = self._networks
        pairs = [(places_of(integers, site), site) for site in sites_of(floats) if site.operator in VALUES]
        single = [(places[0], site) for places, site in pairs if len(places) == 1 and len(site.operators) == 1]
        main = integers.main
        kept = [pair for pair in single if main.tensors[pair[0].weights].dtype == "int8"]
        return iter(sorted((pair for pair in kept if pair[0].axis is not None), key=lambda pair: pair[0].operators))

    def moments(self, site: Site, twin: Site) -> Moments:
        """Moments of the inputs of ``site`` (``x``) and of its float twin (``y``)."""
        integers, floats = self._networks
        shape = integers.main.tensors[site.weights].shape
        columns = int(np.prod(shape)) // shape[site.axis or 0]
        rows = max(_ROWS, _ROWS_PER_COLUMN * columns) * _BATCH // self._count + 1
        parts = [
            moments(
                self._rows(self._integers, integers, site, start, rows),
                self._rows(self._floats, floats, twin, start, rows),
            )
            for start in range(0, self._count, _BATCH)
        ]
        return sum(parts[1:], parts[0])

    def replace(self, network: Network, site: Site) -> None:
        """Layers behind the site are fed by what it makes with ``network``'s integers."""
        self._integers.replace(network, site)

    def _rows(self, walk: Walk, network: Network, site: Site, start: int, rows: int) -> Array:
        (number,) = site.operators
        operator = network.main.operators[number]
        value = walk.value(number, VALUES[operator.name])[start : start + _BATCH]
        picks = np.random.default_rng((self._seed, len(site.key), start))
        shape, output = network.main.tensors[site.weights].shape, network.main.tensors[operator.outputs[0]].shape
        return patches(operator, shape, output, value, picks, rows)


class _IntegerWalk(Walk):
    """A walk through integers: inputs as the network can hold them, and scales that stay whatever weights become."""

    def __init__(self, subject: Subject, samples: Samples) -> None:
        super().__init__(subject.network, samples)
        self._simulation = Simulation(subject.network, held=all_bound(subject))
        for index, values in self._values.items():
            tensor = self._main.tensors[index]
            if tensor.quantization is not None and tensor.quantization.scales and values.dtype.kind == "f":
                scale, zero = tensor.quantization.scales[0], tensor.quantization.zero_points[0]
                port = Port(name=tensor.name, shape=tensor.shape, dtype=tensor.dtype, scale=scale, zero_point=zero)
                self._values[index] = dequantize(quantize(values, port), port)

    def replace(self, network: Network, site: Site) -> None:
        """As the integers of ``network`` stand for."""
        self._simulation.weights[site.key].assign(real_weights(network, site))
        bias = real_bias(network, site)
        if bias is not None:
            self._simulation.biases[site.key].assign(bias)
