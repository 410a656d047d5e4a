"""Give each channel of a compressed network the mean and the spread that it had before.

Batch norms are folded here, and with them what they aimed at is gone; the network before compression still shows it: in
the form of Sun et al., "Hybrid 8-bit Floating Point Training and Inference", 2019, section 3.2 (batch-norm
re-tuning), with its channel statistics in place of γ and β.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot.inputs import Inputs, has_inputs
from edgecompile.compress.oneshot.moments import Moments
from edgecompile.compress.sites import (
    Site,
    as_rows,
    bias_of,
    from_rows,
    matched,
    sites_of,
    spread,
    weights_of,
    with_constants,
)
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import NOTHING, Held
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
# A channel that is stretched more was lost, not shrunk.
_STRETCH = 1.5


def rematch(
    network: Network, held: Mapping[str, Held], reference: Network, samples: Samples, seed: int = 0
) -> tuple[Network, dict[str, Held]]:
    """The network with rows of weights stretched and biases moved, so that every layer's outputs before its activation
    have the reference's mean and standard deviation over ``samples``, channel by channel.

    Codes stay; their scales are stretched. Layers without a bias of their own, or with one scale for all their
    codes, only pass on what changed before them. ``reference`` has the same operators and shapes.
    """
    network = own_constants(network)
    now, then = Inputs(network, None, samples, seed), Inputs(reference, None, samples, seed)
    twins = matched(network, reference)
    kept = dict(held)
    for site in sites_of(network):
        promise = kept.get(site.key, NOTHING)
        one_scale = promise.scales is not None and len(promise.scales) == 1
        if not has_inputs(site) or site.bias is None or one_scale:
            continue
        network, kept[site.key] = _matched(
            network, site, promise, now.of(site), reference, twins[site.key], then.of(twins[site.key])
        )
        now.replace(network, site)
    return network, kept


def _matched(
    network: Network, site: Site, held: Held, seen: Moments, reference: Network, twin: Site, wanted: Moments
) -> tuple[Network, Held]:
    weights, bias = weights_of(network, site), bias_of(reference, twin)
    assert bias is not None and site.bias is not None
    mean, deviation = _output(weights, site, seen)
    aimed_mean, aimed_deviation = _output(weights_of(reference, twin), twin, wanted)
    tiny = 1e-6 * max(float(aimed_deviation.max()), 1e-12)
    ratio = np.where((deviation > tiny) & (aimed_deviation > tiny), aimed_deviation / np.maximum(deviation, tiny), 1.0)
    stretch = np.clip(ratio, 1 / _STRETCH, _STRETCH).astype(np.float32)
    if held.codes is not None and held.scales is not None:
        scales = held.scales * stretch
        fresh = spread(scales, weights.shape, site.axis) * held.codes.astype(np.float32)
        held = replace(held, scales=scales)
    else:
        fresh = from_rows(as_rows(weights, site.axis) * stretch[:, None], weights.shape, site.axis)
    moved = (bias + aimed_mean - stretch * mean).astype(np.float32)
    return with_constants(network, {site.weights: fresh, site.bias: moved}), held


def _output(weights: Array, site: Site, seen: Moments) -> tuple[Array, Array]:
    """Mean (without the bias) and standard deviation of each output channel."""
    covariance = seen.hessian(True)
    rows = as_rows(weights.astype(np.float64), site.axis).reshape(len(covariance), -1, covariance.shape[2])
    mean = rows @ (seen.x / seen.count)[:, :, None]
    variance = np.einsum("grk,grk->gr", rows @ covariance, rows)
    return mean.reshape(-1), np.sqrt(np.maximum(variance, 0.0)).reshape(-1)
