"""Pairs of layers between which channels can be scaled, and the factors that even their weights out.

For ReLU f(s·x) = s·f(x), s > 0, so channel i of a layer may be divided by s_i where the next one multiplies it back.
With ranges r = max |w| of output channel i before and of input channel i behind, s_i = √(r₁ / r₂) makes both √(r₁·r₂):
Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, eq. 11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.sites import Site, bias_of, sites_of, spread, weights_of, with_constants
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import NOTHING, Subject
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
# Operator -> axis of the input channels in its weights; a depthwise filter's channels are both.
_INPUTS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 3}
_OUTPUTS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
# What gives s·f(x) for s·x channel by channel, its first input being the values.
_PASSED = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "RELU", "MEAN", "PAD")
_ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Couple:
    """Keys of two sites, the second of which alone reads what the first gives."""

    first: str
    second: str


def pairs_of(subject: Subject) -> tuple[Couple, ...]:
    """All pairs of free weights, in order."""
    network = subject.network
    main = network.main
    free = {
        site.operators[0]: site
        for site in sites_of(network)
        if len(site.operators) == 1
        and site.operator in _INPUTS
        and not subject.held.get(site.key, NOTHING).is_shared
        and (site.bias is not None or not _has_bias(network, site))
    }
    reads = Counter(index for operator in main.operators for index in operator.inputs)
    ends = {*main.outputs}
    found = []
    for number, site in free.items():
        if site.operator not in _OUTPUTS or not _scales(network, number):
            continue
        index = main.operators[number].outputs[0]
        while index not in ends and reads[index] == 1:
            reader = next(place for place, operator in enumerate(main.operators) if index in operator.inputs)
            operator = main.operators[reader]
            if reader in free and _matches(network, site, free[reader], index):
                found.append(Couple(first=site.key, second=free[reader].key))
                break
            if operator.inputs[0] != index or not _passes(network, reader):
                break
            index = operator.outputs[0]
    return tuple(found)


def equalized(network: Network, pairs: Sequence[Couple]) -> Network:
    """The network with channels of each pair scaled round after round until no factor is left; it computes the same."""
    network = own_constants(network)
    sites = {site.key: site for site in sites_of(network)}
    for _ in range(_ROUNDS):
        moved = False
        for pair in pairs:
            first, second = sites[pair.first], sites[pair.second]
            factors = _factors(network, first, second)
            if (factors != 1.0).any():
                moved = True
                network = _scaled(network, first, second, factors)
        if not moved:
            break
    return network


def _factors(network: Network, first: Site, second: Site) -> Array:
    """s, a power of two for each channel; 1 where a range is zero."""
    before = _ranges(weights_of(network, first), _OUTPUTS[first.operator])
    behind = _ranges(weights_of(network, second), _INPUTS[second.operator])
    usable = (before > 0) & (behind > 0)
    ratio = np.where(usable, before / np.where(usable, behind, 1.0), 1.0)
    factors: Array = np.exp2(np.rint(0.5 * np.log2(ratio))).astype(np.float32)
    return factors


def _scaled(network: Network, first: Site, second: Site, factors: Array) -> Network:
    left, right = weights_of(network, first), weights_of(network, second)
    constants = {
        first.weights: left / spread(factors, left.shape, _OUTPUTS[first.operator]),
        second.weights: right * spread(factors, right.shape, _INPUTS[second.operator]),
    }
    bias = bias_of(network, first)
    if bias is not None and first.bias is not None:
        constants[first.bias] = bias / factors
    return with_constants(network, constants)


def _ranges(weights: Array, axis: int) -> Array:
    others = tuple(place for place in range(weights.ndim) if place != axis)
    return np.asarray(np.abs(weights).max(axis=others), np.float64)


def _matches(network: Network, first: Site, second: Site, index: int) -> bool:
    """Whether the second reads the channels of the first, one by one, as its values."""
    main = network.main
    operator = main.operators[second.operators[0]]
    given = 2 if second.operator == "TRANSPOSE_CONV" else 0
    channels = main.tensors[first.weights].shape[_OUTPUTS[first.operator]]
    taken = main.tensors[second.weights].shape[_INPUTS[second.operator]]
    return operator.inputs[given] == index and channels == taken == main.tensors[index].shape[-1]


def _passes(network: Network, number: int) -> bool:
    """Whether channels go through an operator one by one, scaled or not."""
    operator = network.main.operators[number]
    if operator.name not in _PASSED or not _scales(network, number):
        return False
    if operator.name != "MEAN":
        return True
    axes, rank = network.main.tensors[operator.inputs[1]].array, len(network.main.tensors[operator.inputs[0]].shape)
    return axes is not None and rank - 1 not in (axes.reshape(-1) % rank).tolist()


def _scales(network: Network, number: int) -> bool:
    activation = network.main.operators[number].options.get("fused_activation_function", "NONE")
    return activation in ("NONE", "RELU", None)


def _has_bias(network: Network, site: Site) -> bool:
    """Whether the operator has a bias at all, computed or constant."""
    operator = network.main.operators[site.operators[0]]
    slot = 3 if site.operator == "TRANSPOSE_CONV" else 2
    return slot < len(operator.inputs) and operator.inputs[slot] >= 0
