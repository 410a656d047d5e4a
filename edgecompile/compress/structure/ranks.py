"""Which forms and ranks a layer can take, what each costs, and what each loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site, sites_of, weights_of
from edgecompile.compress.structure.factor import Factors, Moments, factor, outputs_kept
from edgecompile.compress.structure.insert import insert
from edgecompile.ir.costs import macs
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
FORMS = ("svd", "spatial", "tucker")
_BIAS_BYTES = 4
_STEPS = 8  # ranks tried under a budget, from few to all


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A layer that can be split. ``weights`` are ``[o, h, w, i]``, dense ones with h = w = 1."""

    site: Site
    weights: Array
    moments: Moments


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """A way to have a layer, whole where ``factors`` is None; ``loss`` is comparable over layers."""

    factors: Factors | None
    cost: int
    loss: float


def layers_of(network: Network) -> tuple[Site, ...]:
    """Sites that can be split: CONV_2D without groups and FULLY_CONNECTED, in float32, with a fixed bias."""
    main = network.main
    found = []
    for site in sites_of(network):
        operator = main.operators[site.operators[0]]
        x, weights = main.tensors[operator.inputs[0]], main.tensors[site.weights]
        whole = site.operator == "FULLY_CONNECTED" or (
            site.operator == "CONV_2D" and len(x.shape) == 4 and x.shape[3] == weights.shape[3]
        )
        computed = len(operator.inputs) > 2 and operator.inputs[2] >= 0 and site.bias is None
        if whole and weights.dtype == "float32" and not computed:
            found.append(site)
    return tuple(found)


def four_axes(network: Network, site: Site) -> Array:
    """The weights as ``[o, h, w, i]``."""
    weights = weights_of(network, site)
    return weights[:, None, None, :] if weights.ndim == 2 else weights


def cost_of(network: Network, site: Site, factors: Factors | None, measure: str) -> int:
    """What the layer costs: multiply-accumulates, parameters, or bytes of int8 weights and int32 biases."""
    if measure == "macs":
        split = insert(network, {site.weights: (site, factors)}) if factors else network
        makers = {split.main.tensors[op.outputs[0]].name: op for op in split.main.operators}
        return sum(
            macs(split.main, op) or 0
            for name, op in makers.items()
            if any(name == own or name.startswith(f"{own}/low_rank") for own in site.names)
        )
    parts: Sequence[Array] = factors.parts if factors else (four_axes(network, site),)
    biases = sum(len(part) for part in parts)
    return sum(part.size for part in parts) + biases * (_BIAS_BYTES if measure == "bytes" else 1)


def full_rank(form: str, weights: Array) -> int:
    """The rank at which the form loses nothing."""
    outputs, high, wide, inputs = weights.shape
    return {
        "svd": min(outputs, high * wide * inputs),
        "spatial": min(high * inputs, wide * outputs),
        "tucker": max(outputs, inputs),
    }[form]


def forms_of(weights: Array, form: str) -> tuple[str, ...]:
    """The forms that make sense for weights: for 1 x 1 and dense ones, and those with one input, only ``svd``."""
    _, high, wide, inputs = weights.shape
    possible = ["svd"]
    possible += ["spatial"] if high > 1 and wide > 1 else []
    possible += ["tucker"] if high * wide > 1 and inputs > 4 else []
    return tuple(name for name in possible if form in ("auto", name))


def split_at(form: str, share: float, layer: Layer, multiple: int) -> Factors | None:
    """The layer in a form with that share of its full rank, rounded to a multiple; None where nothing is left out."""
    outputs, _, _, inputs = layer.weights.shape
    full = full_rank(form, layer.weights)
    ranks: tuple[int, ...]
    if form == "tucker":
        ranks = (_even(share * inputs, multiple), _even(share * outputs, multiple))
        if ranks[0] >= inputs or ranks[1] >= outputs:
            return None
    else:
        ranks = (_even(share * full, multiple),)
        if ranks[0] >= full:
            return None
    return factor(form, layer.weights, ranks, layer.moments)


def split_for_energy(form: str, energy: float, layer: Layer, multiple: int) -> Factors | None:
    """The smallest split that keeps that share of the outputs' variance on the samples."""
    full = full_rank(form, layer.weights)
    low, high = 1, -(-full // multiple)
    if form == "svd":
        kept = outputs_kept(layer.weights, layer.moments)
        rank = int(np.searchsorted(kept, energy)) + 1
        return split_at(form, rank / full, layer, multiple)
    while low < high:
        middle = (low + high) // 2
        found = split_at(form, middle * multiple / full, layer, multiple)
        if found is None or 1 - found.error >= energy:
            high = middle
        else:
            low = middle + 1
    return split_at(form, low * multiple / full, layer, multiple)


def choices(
    network: Network, layer: Layer, form: str, multiple: int, measure: str, saving: float, weight: float
) -> tuple[Split, ...]:
    """Whole, and split at several ranks where that saves at least the share ``saving`` of parameters and measure."""
    whole = Split(factors=None, cost=cost_of(network, layer.site, None, measure), loss=0.0)
    found = [whole]
    for name in forms_of(layer.weights, form):
        for step in range(1, _STEPS + 1):
            factors = split_at(name, (step / (_STEPS + 1)) ** 1.5, layer, multiple)
            if factors is not None and pays(network, layer.site, factors, measure, saving):
                cost = cost_of(network, layer.site, factors, measure)
                found.append(Split(factors=factors, cost=cost, loss=weight * factors.error))
    return tuple(found)


def pays(network: Network, site: Site, factors: Factors, measure: str, saving: float) -> bool:
    """Whether a split saves that share of the layer's cost, and costs no more parameters or work than before."""
    before, after = (cost_of(network, site, one, measure) for one in (None, factors))
    others = (cost_of(network, site, factors, m) <= cost_of(network, site, None, m) for m in ("parameters", "macs"))
    return after <= (1 - saving) * before and all(others)


def allocate(options: Sequence[Sequence[Split]], budget: float, fixed: int) -> tuple[int, ...]:
    """For each layer the place of its split, so that ``fixed`` and all costs are at most ``budget`` with least loss.

    From all layers whole on, the step down any layer's lower hull with the least loss for what it saves, again and
    again: the best for some budget nearby (Shoham and Gersho 1988, "Efficient Bit Allocation"). Stops where no
    step is left.
    """
    hulls = [_hull(several) for several in options]
    at = [0] * len(options)
    total = fixed + sum(several[0].cost for several in options)
    while total > budget:
        steps = [
            (_slope(options[i][hull[at[i]]], options[i][hull[at[i] + 1]]), i)
            for i, hull in enumerate(hulls)
            if at[i] + 1 < len(hull)
        ]
        if not steps:
            break
        _, i = min(steps)
        total -= options[i][hulls[i][at[i]]].cost - options[i][hulls[i][at[i] + 1]].cost
        at[i] += 1
    return tuple(hull[place] for hull, place in zip(hulls, at, strict=True))


def _hull(several: Sequence[Split]) -> list[int]:
    """Places from whole to cheapest along the lower convex hull of loss over cost."""
    hull, now = [0], 0
    while True:
        cheaper = [i for i, split in enumerate(several) if split.cost < several[now].cost]
        if not cheaper:
            return hull
        now = min(cheaper, key=lambda i: (_slope(several[now], several[i]), several[i].cost))
        hull.append(now)


def _slope(one: Split, other: Split) -> float:
    return (other.loss - one.loss) / (one.cost - other.cost)


def _even(rank: float, multiple: int) -> int:
    return max(1, round(rank / multiple)) * multiple


def moved(outputs: Sequence[Array], others: Sequence[Array]) -> float:
    """The mean square difference of outputs, relative to their variance."""
    return float(sum(np.square(a - b).mean() / max(np.var(a), 1e-12) for a, b in zip(outputs, others, strict=True)))
