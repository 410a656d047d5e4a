"""Trained values back into a network: weights, scales and biases of every site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.simulate.plan import bias_slot
from edgecompile.compress.simulate.quantizers import is_quantized, limits, real
from edgecompile.compress.simulate.shadow import Shadow
from edgecompile.compress.sites import Site, spread
from edgecompile.ir.network import Buffer, Network, Operator, Subgraph, Tensor
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]
# The input whose scale is part of the bias' scale.
_DATA_SLOT: Mapping[str, int] = {"TRANSPOSE_CONV": 2}


def written(
    network: Network,
    sites: Mapping[str, Site],
    shadows: Mapping[str, Shadow],
    biases: Mapping[str, Any],
    folds: Mapping[str, tuple[Array, Array]],
) -> Network:
    """The network with new constants. A tensor or buffer that others read too is not changed but copied."""
    draft = _Draft(network)
    for key, site in sites.items():
        weights = _weights(network.main.tensors[site.weights], site, shadows[key], folds.get(key))
        for number in site.operators:
            draft.put(number, site.slot, weights, site)
        slot = bias_slot(site.operator)
        if key in biases and slot is not None:
            bias = biases[key].numpy().astype(np.float64)
            moved = key in folds or not _starts_from(network.main.tensors[site.bias or 0], biases[key].numpy())
            if key in folds:
                bias = bias + folds[key][1]
            for number in site.operators:
                operator = draft.operators[number]
                if slot < len(operator.inputs) and operator.inputs[slot] >= 0:
                    stored = network.main.tensors[operator.inputs[slot]]
                    scale = _bias_scale(network.main, operator, site, weights, stored)
                    draft.put(number, slot, _bias(stored, bias, scale, moved), site)
    return draft.network()


def _weights(tensor: Tensor, site: Site, shadow: Shadow, fold: tuple[Array, Array] | None) -> Tensor:
    if not is_quantized(tensor):
        return _holding(tensor, _folded(shadow, site, fold))
    codes, scales = shadow.codes()
    assert tensor.quantization is not None
    zero = tensor.quantization.zero_points[0]
    quantization = replace(tensor.quantization, scales=tuple(float(scale) for scale in scales))
    if len(scales) != len(tensor.quantization.scales):
        quantization = replace(quantization, zero_points=(zero,) * len(scales), axis=site.axis or 0)
    return _holding(replace(tensor, quantization=quantization), codes + zero)


def _folded(shadow: Shadow, site: Site, fold: tuple[Array, Array] | None) -> Array:
    if fold is None:
        return shadow.values()
    factor, _ = fold
    held = shadow.held()
    if held.codes is not None:
        assert held.scales is not None
        scales = (held.scales * factor).astype(np.float32)
        return (spread(scales, held.codes.shape, site.axis) * held.codes).astype(np.float32)
    values = shadow.values()
    folded: Array = (values * spread(factor, values.shape, site.axis)).astype(np.float32)
    return folded


def _bias_scale(main: Subgraph, operator: Operator, site: Site, weights: Tensor, bias: Tensor) -> Array | None:
    """Scale of the input times those of the weights, in float32 as the file holds them; None in float.

    Where the file has a bias scale it follows the weights' in its ratio, so that weights left alone leave it alone.
    """
    data = main.tensor(operator.inputs[_DATA_SLOT.get(site.operator, 0)])
    if data is None or data.quantization is None or weights.quantization is None or not is_quantized(data):
        return None
    scales = np.asarray(weights.quantization.scales, np.float64)
    before = main.tensors[site.weights].quantization
    if bias.quantization is not None and before is not None and len(before.scales) == len(scales):
        found = np.asarray(bias.quantization.scales, np.float64)
        if len(found) == len(scales):
            return np.asarray(found * (scales / np.asarray(before.scales, np.float64)), np.float32)
    return np.asarray(np.float64(data.quantization.scales[0]) * scales, np.float32)


def _starts_from(tensor: Tensor, values: Array) -> bool:
    assert tensor.array is not None
    return np.array_equal(real(tensor, tensor.array), values)


def _bias(tensor: Tensor, values: Array, scale: Array | None, moved: bool) -> Tensor:
    if not is_quantized(tensor) or scale is None:
        return _holding(tensor, values)
    assert tensor.quantization is not None
    if not moved and np.array_equal(np.asarray(tensor.quantization.scales, np.float32), scale):
        # Float32 holds but 24 bits of an integer, and a layer used twice has a bias for each scale of its input.
        return tensor
    low, high = limits(tensor.dtype)
    codes = np.clip(np.rint(values / scale.astype(np.float64)), low, high)
    quantization = replace(tensor.quantization, scales=tuple(float(s) for s in scale))
    if len(scale) != len(tensor.quantization.zero_points):
        quantization = replace(quantization, zero_points=(0,) * len(scale))
    return _holding(replace(tensor, quantization=quantization), codes)


def _holding(tensor: Tensor, array: Array) -> Tensor:
    """The tensor with other values; itself where they are the same bytes."""
    data = np.ascontiguousarray(array, dtype=np.dtype(tensor.dtype)).tobytes()
    return tensor if bytes(tensor.buffer.data) == data else replace(tensor, buffer=Buffer(data, tensor.buffer.raw))


class _Draft:
    """The main subgraph under change."""

    def __init__(self, network: Network) -> None:
        self._given = network
        self.tensors = list(network.main.tensors)
        self.operators = list(network.main.operators)
        self._readers: dict[int, set[tuple[int, int]]] = {}
        for number, operator in enumerate(network.main.operators):
            for slot, index in enumerate(operator.inputs):
                self._readers.setdefault(index, set()).add((number, slot))
        self._done: dict[int, Tensor] = {}

    def put(self, number: int, slot: int, tensor: Tensor, site: Site) -> None:
        """Give an operator of the site this tensor in a slot."""
        index = self.operators[number].inputs[slot]
        old = self._given.main.tensors[index]
        if self._done.get(index, old) is old and tensor is old:
            self._done[index] = old
            return
        mine = {(n, slot) for n in site.operators}
        if self._readers[index] <= mine and (index not in self._done or self._same(index, tensor)):
            if index not in self._done:
                self.tensors[index] = self._done[index] = tensor
            return
        self._point(number, slot, self._twin(tensor))

    def _same(self, index: int, tensor: Tensor) -> bool:
        done = self._done[index]
        return bytes(done.buffer.data) == bytes(tensor.buffer.data) and done.quantization == tensor.quantization

    def _twin(self, tensor: Tensor) -> int:
        """A tensor of its own for these values."""
        self.tensors.append(replace(tensor, name=f"{tensor.name}/{len(self.tensors)}"))
        return len(self.tensors) - 1

    def _point(self, number: int, slot: int, index: int) -> None:
        operator = self.operators[number]
        inputs = (*operator.inputs[:slot], index, *operator.inputs[slot + 1 :])
        self.operators[number] = replace(operator, inputs=inputs)

    def network(self) -> Network:
        """The network; buffers that no tensor holds any more are forgotten."""
        before = {id(tensor.buffer) for tensor in self._given.main.tensors}
        held = {id(tensor.buffer) for graph in self._given.subgraphs[1:] for tensor in graph.tensors}
        held |= {id(tensor.buffer) for tensor in self.tensors}
        main = replace(self._given.main, tensors=tuple(self.tensors), operators=tuple(self.operators))
        swapped = replace_subgraph(self._given, main)
        buffers = tuple(b for b in self._given.buffers if id(b) not in before or id(b) in held)
        return replace(swapped, buffers=buffers)
