"""After channels went: weights that give, from what is left, the outputs of before as nearly as can be.

He, Zhang, Sun 2017, "Channel Pruning for Accelerating Very Deep Neural Networks", section 3.1, the
reconstruction: argmin over W' of ‖Y - X' W'‖², Y of the network before, X' of the network after, layer by layer
from the input on, so that each layer also makes up for what those before it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site, bias_of, sites_of, weights_of, with_constants
from edgecompile.compress.structure.remove import Kept
from edgecompile.compress.structure.rows import rows_of
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_ROWS_EACH_COLUMN, _MOST_ROWS, _BATCH = 16, 40_000, 64
# The weight of staying near the old weights, of the inputs' mean energy: enough to settle dead inputs.
_RIDGE = 1e-2


def reconstruct(before: Network, after: Network, kept: Kept, x: Sequence[Array], seed: int = 0) -> Network:
    """``after`` (``before`` without what ``kept`` leaves out) with weights and biases fitted on samples ``x``.

    CONV_2D without groups and FULLY_CONNECTED are fitted; other operators keep what is left of their weights.
    """
    from edgecompile.compress.simulate.simulation import Simulation

    olds = {site.key: site for site in sites_of(before)}
    sites = [site for site in sites_of(after) if _fits(after, site) and site.key in olds]
    origin, simulation = Simulation(before), Simulation(after)
    changed: dict[int, Array] = {}
    for site in sites:
        old = olds[site.key]
        source = before.main.operators[old.operators[0]].inputs[0]
        given = _watch(origin, x, source)
        now = _watch(simulation, x, after.main.operators[site.operators[0]].inputs[0])
        weights, bias = _fit(before, after, old, site, kept, given, now, seed)
        changed[site.weights] = weights
        simulation.weights[site.key].assign(weights)
        if site.bias is not None and bias is not None:
            changed[site.bias] = bias
            simulation.biases[site.key].assign(bias)
    return with_constants(after, changed)


def _fits(network: Network, site: Site) -> bool:
    if site.operator not in ("CONV_2D", "FULLY_CONNECTED") or site.bias is None:
        return False
    operator = network.main.operators[site.operators[0]]
    x = network.main.tensors[operator.inputs[0]]
    return site.operator == "FULLY_CONNECTED" or x.shape[3] == network.main.tensors[site.weights].shape[3]


def _watch(simulation: Any, x: Sequence[Array], tensor: int) -> Array:
    """Values of a tensor, without tracing a function that would be used once."""
    pieces = []
    for start in range(0, len(x[0]), _BATCH):
        _, values = simulation([part[start : start + _BATCH] for part in x], watch=[tensor])
        pieces.append(values[tensor].numpy())
    return np.concatenate(pieces)


def _fit(
    before: Network, after: Network, old: Site, site: Site, kept: Kept, given: Array, now: Array, seed: int
) -> tuple[Array, Array | None]:
    full = weights_of(before, old)
    rows = kept.get((old.weights, 0), np.ones(len(full), dtype=bool))
    full, sliced = full[rows], weights_of(after, site)
    columns = int(np.prod(full.shape[1:]))
    limit = min(_MOST_ROWS, _ROWS_EACH_COLUMN * columns)
    operator = after.main.operators[site.operators[0]]
    one, other = rows_of(given, operator, full.shape, limit, seed), rows_of(now, operator, sliced.shape, limit, seed)
    wanted, start = full.reshape(len(full), -1).astype(float), sliced.reshape(len(sliced), -1).astype(float)
    mean, mean_now = one.mean(axis=0), other.mean(axis=0)
    targets = (one - mean) @ wanted.T
    centred = other - mean_now
    gram = centred.T @ centred
    ridge = _RIDGE * max(np.trace(gram) / len(gram), 1e-12)
    found = np.linalg.solve(gram + ridge * np.eye(len(gram)), centred.T @ targets + ridge * start.T).T
    bias = bias_of(before, old)
    assert bias is not None
    shifted = bias[rows] + wanted @ mean - found @ mean_now
    return found.reshape(sliced.shape).astype(np.float32), shifted.astype(np.float32)
