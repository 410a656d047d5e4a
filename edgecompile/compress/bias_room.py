"""Coarser codes where signals are so faint that a layer's bias would not fit into 32 bits beside them.

A bias is stored in steps of the input's scale times the weights'. TensorFlow's quantizer raises a channel's scale until
the bias takes half the range of int32; what passes hold of weights brings scales of its own, and must do the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.integers import input_scale, places_of
from edgecompile.compress.sites import Site, as_rows, bias_of, from_rows, sites_of, spread, with_constants
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import Held
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_MOST = 2.0**30


def with_room(
    floats: Network, held: Mapping[str, Held], quantized: Network
) -> tuple[Network, dict[str, Held], frozenset[str]]:
    """The float network and its promises with scales under which each bias fits, and the keys that changed.

    ``quantized`` gives the inputs' scales. A channel with a raised scale takes, for each weight, the nearest of the
    codes that its tensor has already, so that sharing, zeros and bits stay; beside a bias of 2³⁰ steps its products
    are too small to tell the difference.
    """
    changed: dict[str, Held] = {}
    constants: dict[int, Array] = {}
    for site in sites_of(floats):
        promise = held.get(site.key)
        factors = None if promise is None else _factors(floats, quantized, site, promise)
        if promise is None or factors is None:
            continue
        changed[site.key] = coarser = _coarser(promise, factors, site)
        assert coarser.codes is not None and coarser.scales is not None
        constants[site.weights] = spread(coarser.scales, coarser.codes.shape, site.axis) * coarser.codes
    if not changed:
        return floats, dict(held), frozenset()
    return with_constants(own_constants(floats), constants), {**held, **changed}, frozenset(changed)


def _factors(floats: Network, quantized: Network, site: Site, promise: Held) -> Array | None:
    """By how much each scale has to grow, ``[scales]``; None where all fit."""
    bias = bias_of(floats, site)
    if promise.codes is None or promise.scales is None or bias is None:
        return None
    main = quantized.main
    inputs = [
        input_scale(main, main.operators[number], place.slot)
        for place in places_of(quantized, site)
        if main.tensors[place.weights].dtype == "int8"
        for number in place.operators
    ]
    if not inputs:
        return None
    steps = np.abs(bias.astype(np.float64)) / (min(inputs) * promise.scales.astype(np.float64))
    most = steps if len(promise.scales) > 1 else steps.max(keepdims=True)
    return np.maximum(most / _MOST, 1.0) if np.any(most > _MOST) else None


def _coarser(promise: Held, factors: Array, site: Site) -> Held:
    assert promise.codes is not None and promise.scales is not None
    axis = site.axis if len(factors) > 1 else None
    rows = as_rows(promise.codes, axis).astype(np.float64)
    entries = np.unique(promise.codes).astype(np.float64) if promise.centroids else np.arange(-128.0, 128.0)
    raised = factors > 1.0
    between = (entries[1:] + entries[:-1]) / 2
    fresh = rows.copy()
    fresh[raised] = entries[np.searchsorted(between, rows[raised] / factors[raised, None])]
    codes = from_rows(fresh.astype(np.int8), promise.codes.shape, axis)
    if promise.zeros is not None:
        codes = np.where(promise.zeros, np.int8(0), codes)
    # In float32 the product may come out below what it must be by half a step of it.
    scales = np.where(raised, promise.scales * factors * (1 + 2.0**-22), promise.scales).astype(np.float32)
    return replace(promise, codes=codes, scales=scales)
