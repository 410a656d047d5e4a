"""Compress a network layer by layer, each for the inputs that the compressed layers before it give."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot import columns
from edgecompile.compress.oneshot.fit import Form, fit, prune
from edgecompile.compress.oneshot.inputs import Inputs, has_inputs
from edgecompile.compress.oneshot.inverse import Inverse, inverse
from edgecompile.compress.oneshot.masks import lowest
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
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.progress import Progress, Silent
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What to do with one weight tensor.

    ``zeros``: the share of weights that are to be zero, those already held among them, in units of ``pattern``;
    ``form``: the codes it may have, None for free floats. Both are chosen together; with neither, weights are fitted
    anew to what the layers before now give.
    """

    zeros: float = 0.0
    pattern: str = "unstructured"
    form: Form | None = None


def one_shot(
    network: Network,
    plans: Mapping[str, Plan],
    samples: Samples | None,
    held: Mapping[str, Held],
    *,
    reference: Network | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Network, dict[str, Held]]:
    """The network with the planned tensors (by site key) compressed, their biases corrected, and what now holds.

    Outputs are matched to those of ``reference`` (None: the network as given), which has the same operators and shapes,
    in the mean and the mean square over ``samples``. Layers whose inputs cannot be laid out (LSTM, GATHER,
    BATCH_MATMUL) go by their weights alone, and have one scale in any form; without ``samples`` all layers do.
    Raises EC324 where an input is NaN or infinite, EC350 for an operator that cannot be computed here.
    """
    told = progress or Silent()
    network = own_constants(network)
    reference = network if reference is None else reference
    inputs = None if samples is None else Inputs(network, reference, samples, seed)
    kept = dict(held)
    for done, site in enumerate(site for site in sites_of(network) if site.key in plans):
        told.update(done, len(plans), "layers")
        layer = _layer(network, site, inputs, reference)
        network, kept[site.key] = _compressed(network, layer, plans[site.key], kept.get(site.key, NOTHING))
        if inputs is not None:
            inputs.replace(network, site)
    return network, kept


def saliencies(network: Network, keys: Collection[str], samples: Samples | None, seed: int = 0) -> dict[str, Array]:
    """What zeroing each weight costs when others make up for it: w² / [H⁻¹]_jj, by site key, of the weights' shape.

    Hassibi and Stork, "Second order derivatives for network pruning: Optimal Brain Surgeon", 1992, eq. 5, for the
    layer's own output error; w² without samples, and where the inputs cannot be laid out.
    """
    inputs = None if samples is None else Inputs(network, None, samples, seed)
    found = {}
    for site in sites_of(network):
        if site.key in keys:
            layer = _layer(network, site, inputs, network)
            found[site.key] = layer.shaped(layer.saliency())
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Layer:
    """``wanted`` weights [groups, rows, columns], the damped Hessian for them and its inverse, and the bias without
    their mean.

    ``alone``: nothing is known of the inputs, the Hessian is the identity, and the bias stays.
    """

    site: Site
    shape: tuple[int, ...]
    wanted: Array
    hessian: Array
    inverse: Inverse
    offset: Array | None = None
    means: Array | None = None
    alone: bool = False

    def grouped(self, array: Array) -> Array:
        """An array of the weights' shape as [groups, rows, columns]."""
        return as_rows(array, self.site.axis).reshape(self.wanted.shape)

    def shaped(self, grouped: Array) -> Array:
        """The inverse of ``grouped``."""
        rows = grouped.reshape(-1, grouped.shape[2]) if self.site.axis is not None else grouped.reshape(1, -1)
        return np.ascontiguousarray(from_rows(rows, self.shape, self.site.axis))

    def saliency(self) -> Array:
        """w² / [H⁻¹]_jj [groups, rows, columns]."""
        if self.alone:
            return np.square(self.wanted)
        return np.asarray(self.wanted**2 / self.inverse.diagonal[:, None, :])

    def bias(self, weights: Array) -> Array | None:
        """The bias with which the outputs of weights [groups, rows, columns] have the reference's mean."""
        if self.offset is None or self.means is None:
            return None
        return np.asarray(self.offset - (weights @ self.means[:, :, None]).reshape(-1)).astype(np.float32)


def _layer(network: Network, site: Site, inputs: Inputs | None, reference: Network) -> _Layer:
    weights = weights_of(network, site).astype(np.float64)
    if inputs is None or not has_inputs(site):
        return _by_itself(site, weights)
    twin = matched(network, reference)[site.key]
    seen = inputs.of(site)
    if not (np.isfinite(seen.xx).all() and np.isfinite(seen.yx).all()):
        raise _not_finite(site)
    bias = bias_of(reference, twin)
    hessian = seen.hessian(bias is not None)
    whole = columns.damped(hessian)
    rows, original = (
        as_rows(array, site.axis).reshape(len(whole), -1, whole.shape[2])
        for array in (weights, weights_of(reference, twin).astype(np.float64))
    )
    inverted = inverse(whole)
    wanted = inverted.behind(original @ seen.cross(bias is not None) + rows @ (whole - hessian))
    offset = None if bias is None else bias + (original @ (seen.y / seen.count)[:, :, None]).reshape(-1)
    return _Layer(
        site=site,
        shape=weights.shape,
        wanted=wanted,
        hessian=whole,
        inverse=inverted,
        offset=offset,
        means=seen.x / seen.count,
    )


def _by_itself(site: Site, weights: Array) -> _Layer:
    if site.axis is None:
        # Every weight is a group, so the identity is a list of ones.
        wanted = weights.reshape(-1, 1, 1)
    else:
        wanted = as_rows(weights, site.axis)[None]
    identity = np.broadcast_to(np.eye(wanted.shape[2]), (len(wanted), wanted.shape[2], wanted.shape[2]))
    return _Layer(
        site=site, shape=weights.shape, wanted=wanted, hessian=identity, inverse=Inverse(whole=identity), alone=True
    )


def _compressed(network: Network, layer: _Layer, plan: Plan, held: Held) -> tuple[Network, Held]:
    site = layer.site
    zeros = _zeros(layer, plan, held)
    masked = layer.grouped(zeros)
    promise = Held(
        zeros=zeros if zeros.any() or held.zeros is not None else None,
        pattern=plan.pattern if plan.zeros else held.pattern,
    )
    if plan.form is None:
        rest = np.where(masked, 0.0, layer.wanted) if layer.alone else prune(layer.wanted, layer.hessian, masked)
        fresh: Array = layer.shaped(rest).astype(np.float32)
    else:
        grouped, of_rows = fit(layer.wanted, layer.hessian, masked, plan.form)
        scales = of_rows.reshape(-1) if plan.form.per_row else of_rows.reshape(-1)[:1]
        codes = layer.shaped(grouped)
        fresh = spread(scales, layer.shape, site.axis) * codes.astype(np.float32)
        promise = replace(promise, codes=codes, scales=scales, centroids=plan.form.centroids, bits=plan.form.bits)
    constants = {site.weights: fresh}
    bias = layer.bias(layer.grouped(fresh.astype(np.float64)))
    if bias is not None and site.bias is not None:
        constants[site.bias] = bias
    return with_constants(network, constants), promise


def _zeros(layer: _Layer, plan: Plan, held: Held) -> Array:
    """The held zeros and the plan's, bool of the weights' shape."""
    already = np.zeros(layer.shape, bool) if held.zeros is None else held.zeros
    if not plan.zeros:
        return already
    scores = layer.shaped(layer.saliency())
    return already | lowest(np.where(already, 0.0, scores), plan.pattern, plan.zeros)


def _not_finite(site: Site) -> EdgecompileError:
    return rejected(
        "EC324",
        "a layer reads NaN or infinite values for some calibration sample",
        Location(layer=short_name(site.key)),
        ["compression measures every layer's inputs on calibration samples, and found some that are no numbers"],
        ["look for such values in the data", "or for a layer before this one whose weights are too large"],
    )
