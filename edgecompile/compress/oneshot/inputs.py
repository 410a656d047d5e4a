"""The inputs of each layer on calibration samples, in the compressed network and in the one that it should match."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot.moments import Moments, moments
from edgecompile.compress.oneshot.patches import VALUES, patches
from edgecompile.compress.oneshot.walk import Walk, most_samples
from edgecompile.compress.sites import Site, sites_of
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_BATCH = 64
# Rows that moments are taken over: so many for each column, and at least so many.
_ROWS_PER_COLUMN = 64
_ROWS = 32768


class Inputs:
    """Moments of layers' inputs, asked for in the order of the layers; ``replace`` tells of weights that changed.

    ``reference`` has the same operators and shapes as ``network``; both see the same samples.
    """

    def __init__(self, network: Network, reference: Network | None, samples: Samples, seed: int) -> None:
        samples = samples.take(slice(0, most_samples(network)))
        self._main, self._seed, self._count = network.main, seed, len(samples)
        self._walk = Walk(network, samples)
        self._original = None if reference is None else Walk(reference, samples)
        self._later = self._of_later_uses(reference or network, samples)

    def replace(self, network: Network, site: Site) -> None:
        """Layers behind the site are fed by what it makes with ``network``'s constants."""
        self._walk.replace(network, site)

    def of(self, site: Site) -> Moments:
        """Moments of the site's inputs, all its uses together; for uses after the first as the reference has them."""
        first = self._moments(site, site.operators[0], self._walk, self._original)
        return first + self._later[site.key] if site.key in self._later else first

    def _of_later_uses(self, network: Network, samples: Samples) -> dict[str, Moments]:
        sites = {number: site for site in sites_of(network) if has_inputs(site) for number in site.operators[1:]}
        if not sites:
            return {}
        walk = Walk(network, samples)
        found: dict[str, Moments] = {}
        for number in sorted(sites):
            key, seen = sites[number].key, self._moments(sites[number], number, walk, None)
            found[key] = found[key] + seen if key in found else seen
        return found

    def _moments(self, site: Site, number: int, walk: Walk, original: Walk | None) -> Moments:
        operator = self._main.operators[number]
        weights = self._main.tensors[site.weights].shape
        output = self._main.tensors[operator.outputs[0]].shape
        slot = VALUES[operator.name]
        columns = int(np.prod(weights)) // weights[site.axis or 0]
        rows = max(_ROWS, _ROWS_PER_COLUMN * columns) * _BATCH // self._count + 1

        def rows_of(one: Walk, start: int) -> Array:
            picks = np.random.default_rng((self._seed, number, start))
            value = one.value(number, slot)[start : start + _BATCH]
            return patches(operator, weights, output, value, picks, rows)

        parts = [
            moments(rows_of(walk, start), None if original is None else rows_of(original, start))
            for start in range(0, self._count, _BATCH)
        ]
        return sum(parts[1:], parts[0])


def has_inputs(site: Site) -> bool:
    """Whether the operators' inputs can be laid out as a matrix for the weights."""
    return site.operator in VALUES
