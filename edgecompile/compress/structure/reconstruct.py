"""After channels went: weights that give, from what is left, the outputs of before as nearly as can be.

He, Zhang, Sun 2017, "Channel Pruning for Accelerating Very Deep Neural Networks", section 3.1, the
reconstruction: argmin over W' of ‖Y - X' W'‖², Y of the network before, X' of the network after, layer by layer
from the input on, so that each layer also makes up for what those before it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot.walk import Walk, most_samples
from edgecompile.compress.sites import Site, bias_of, sites_of, weights_of, with_constants
from edgecompile.compress.structure.remove import Kept
from edgecompile.compress.structure.rows import rows_of
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
# The weight of staying near the old weights, of the inputs' mean energy: enough to settle dead inputs.
RIDGE = 1e-2
_ROWS_EACH_COLUMN, _LEAST_ROWS, _MOST_ROWS = 64, 8_192, 40_000
# A matrix of more columns than that is not solved for; a layer that reads so many has no need of it.
_MOST_COLUMNS = 5_000


def can_fit(network: Network, site: Site) -> bool:
    """Whether a layer can be fitted: CONV_2D without groups and FULLY_CONNECTED, with a bias."""
    if site.operator not in ("CONV_2D", "FULLY_CONNECTED") or site.bias is None:
        return False
    weights, x = network.main.tensors[site.weights], network.main.operators[site.operators[0]].inputs[0]
    if weights.elements // weights.shape[0] > _MOST_COLUMNS:
        return False
    return site.operator == "FULLY_CONNECTED" or network.main.tensors[x].shape[3] == weights.shape[3]


def reconstruct(before: Network, after: Network, kept: Kept, x: Sequence[Array], seed: int = 0) -> Network:
    """``after`` (``before`` without what ``kept`` leaves out) with weights and biases fitted on samples ``x``.

    Layers that cannot be fitted keep what is left of their weights.
    """
    olds = {site.key: site for site in sites_of(before)}
    sites = [site for site in sites_of(after) if can_fit(after, site) and site.key in olds]
    samples = Samples(x=tuple(x)).take(slice(0, most_samples(before)))
    origin, walk = Walk(before, samples), Walk(after, samples)
    for site in sorted(sites, key=lambda site: site.operators[0]):
        old = olds[site.key]
        given, now = origin.value(old.operators[0], 0), walk.value(site.operators[0], 0)
        weights, bias = _fit(before, after, old, site, kept, _flat(given), _flat(now), seed)
        assert site.bias is not None
        after = with_constants(after, {site.weights: weights, site.bias: bias})
        walk.replace(after, site)
    return after


def _flat(values: Array) -> Array:
    """Without the batch of one that a walk has behind the samples."""
    return values.reshape(len(values), *values.shape[2:])


def _fit(
    before: Network, after: Network, old: Site, site: Site, kept: Kept, given: Array, now: Array, seed: int
) -> tuple[Array, Array]:
    full = weights_of(before, old)
    rows = kept.get((old.weights, 0), np.ones(len(full), dtype=bool))
    full, sliced = full[rows], weights_of(after, site)
    columns = int(np.prod(full.shape[1:]))
    limit = min(_MOST_ROWS, max(_ROWS_EACH_COLUMN * columns, _LEAST_ROWS))
    operator = after.main.operators[site.operators[0]]
    one, other = rows_of(given, operator, full.shape, limit, seed), rows_of(now, operator, sliced.shape, limit, seed)
    wanted, start = full.reshape(len(full), -1).astype(float), sliced.reshape(len(sliced), -1).astype(float)
    mean, mean_now = one.mean(axis=0), other.mean(axis=0)
    targets = (one - mean) @ wanted.T
    centred = other - mean_now
    gram = centred.T @ centred
    ridge = RIDGE * max(np.trace(gram) / len(gram), 1e-12)
    found = np.linalg.solve(gram + ridge * np.eye(len(gram)), centred.T @ targets + ridge * start.T).T
    bias = bias_of(before, old)
    assert bias is not None
    shifted = bias[rows] + wanted @ mean - found @ mean_now
    return found.reshape(sliced.shape).astype(np.float32), shifted.astype(np.float32)
