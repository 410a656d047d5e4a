"""Weights of a pruned float model without their zeros, in the form in which XNNPACK really skips them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.ir.sparse import compressed, sparse_bytes
from edgecompile.legalize.rewrites._site import Site, make, rewrite
from edgecompile.legalize.sparse_form import Window, find, share_of_zeros, window_of

SUMMARY = "weights of 1x1 convolutions stored sparse, stem and strides padded as XNNPACK's sparse kernels need it"
KEEPS = "the outputs within the rounding of float32 sums, which are added in another order"
# It would take the pads back that the form needs.
UNDONE_BY = ("fuse_pads",)


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """Where 70 % of the weights of a part's 1x1 convolutions are zero: ``conv(x, w)`` as ``conv(x, DENSIFY(w'))``.

    Only in parts that XNNPACK then computes sparsely (``sparse_form``), which exact changes may bring about first:
    SAME as PAD and VALID; a depthwise 3x3 of stride 2 with uneven pads as a 5x5 whose new weights are zero; a mean
    that keeps its dimensions as a mean and a RESHAPE. A convolution whose weights would take more bytes stays.
    """
    if share_of_zeros(network.main)[0] == 0:
        return network, []
    formed = in_form(network, target)
    clusters = [cluster for cluster in find(formed.main).clusters if cluster.worth]
    operators = formed.main.operators
    inside = {operators[i].outputs[0] for cluster in clusters for i in cluster.operators}
    convolutions = {operators[i].outputs[0] for cluster in clusters for i in cluster.convolutions}
    if not any(_smaller(network, tensor) for tensor in convolutions):
        return network, []
    return rewrite(network, target, _step(inside, convolutions))


def in_form(network: Network, target: Target) -> Network:
    """The network with every stem, stride and mean in the form that XNNPACK needs, as far as that is exact."""
    return rewrite(network, target, lambda site: _formed(site) if site.subgraph is network.main else None)[0]


def _step(inside: set[int], convolutions: set[int]) -> Callable[[Site], tuple[Operator, ...] | None]:
    def step(site: Site) -> tuple[Operator, ...] | None:
        if site.subgraph is not site.network.main:
            return None
        result = site.operator.outputs[0]
        if site.operator.name == "MEAN":
            return _formed(site) if site.operator.inputs[0] in inside else None
        if result in convolutions and _smaller(site.network, result):
            return _stored_sparse(site)
        return _formed(site) if result in inside else None

    return step


def _formed(site: Site) -> tuple[Operator, ...] | None:
    if site.operator.name == "MEAN":
        return _flat_mean(site)
    if site.operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D") or site.result.dtype != "float32":
        return None
    options, weights = site.operator.options, site.input(1)
    stride = options["stride_h"]
    if weights is None or len(weights.shape) != 4 or stride != 2 or options["stride_w"] != 2:
        return None
    padded = site.operator.inputs[0]
    sole = len(site.consumers.get(padded, ())) == 1 and padded not in site.known
    window = window_of(site.subgraph, site.producers, site.operator, sole)
    size = weights.shape[1]
    if size != weights.shape[2] or size not in (3, 5) or (window.explicit and set(window.pads) == {size // 2}):
        return None
    if _fits(site, window, size) and window.pads[0] == window.pads[2] == size // 2:
        return _padded(site, window.source, size // 2, site.operator.inputs[1])
    if site.operator.name == "DEPTHWISE_CONV_2D" and size == 3 and _fits(site, window, 5):
        return _widened(site, window)
    return None


def _fits(site: Site, window: Window, size: int) -> bool:
    """Equal pads of half the window give as many outputs."""
    before, after = site.tensors[window.source].shape[1:3], site.result.shape[1:3]
    half = size // 2
    return all((a + 2 * half - size) // 2 + 1 == b for a, b in zip(before, after, strict=True))


def _padded(site: Site, source: int, amount: int, weights: int) -> tuple[Operator, ...]:
    x = site.tensors[source]
    amounts = np.asarray([[0, 0], [amount, amount], [amount, amount], [0, 0]], np.int32)
    n, h, w, c = x.shape
    wide = site.value("padded", (n, h + 2 * amount, w + 2 * amount, c), x.dtype, x.quantization)
    pad = make("PAD", (source, site.store("pads", amounts, "int32")), (wide,), "float32")
    inputs = (wide, weights, *site.operator.inputs[2:])
    options = {**site.operator.options, "padding": "VALID"}
    return (pad, replace(site.operator, inputs=inputs, options=options))


def _widened(site: Site, window: Window) -> tuple[Operator, ...] | None:
    """Depthwise 3x3 as 5x5 with two pads on each side: the window begins ``2 - pads`` further in."""
    index = site.operator.inputs[1]
    maker = site.writer(index)
    stored = site.tensors[maker.inputs[0] if maker is not None and maker.name == "DEQUANTIZE" else index]
    values = stored.array
    if values is None or stored.is_variable or (maker is not None and maker.name != "DEQUANTIZE"):
        return None
    down, right = 2 - window.pads[0], 2 - window.pads[2]
    wide = np.zeros((values.shape[0], 5, 5, values.shape[3]), values.dtype)
    wide[:, down : down + 3, right : right + 3] = values
    weights = site.store("weights", wide, stored.dtype)
    unpack: tuple[Operator, ...] = ()
    if maker is not None:
        unpacked = site.value("unpacked", wide.shape, "float32", None)
        unpack, weights = (make("DEQUANTIZE", (weights,), (unpacked,), version=maker.version),), unpacked
    return (*unpack, *_padded(site, window.source, 2, weights))


def _flat_mean(site: Site) -> tuple[Operator, ...] | None:
    """A mean that keeps its dimensions runs on into the convolution behind it, which LiteRT then computes wrongly."""
    x = site.input(0)
    kept = site.operator.options.get("keep_dims")
    if x is None or not kept or x.dtype != "float32" or len(x.shape) != 4 or site.result.shape[1:3] != (1, 1):
        return None
    flat = site.like("flat", site.result, (x.shape[0], x.shape[3]))
    options = {**site.operator.options, "keep_dims": False}
    mean = replace(site.operator, outputs=(flat,), options=options)
    return (mean, site.reshape(flat, site.operator.outputs[0]))


def _stored_sparse(site: Site) -> tuple[Operator, ...]:
    index = site.operator.inputs[1]
    maker = site.writer(index)
    stored = site.tensors[index if maker is None else maker.inputs[0]]
    small = _add(site, compressed(stored), "sparse")
    dense = site.value("dense", stored.shape, stored.dtype, stored.quantization)
    operators = [make("DENSIFY", (small,), (dense,), version=1)]
    if maker is not None:
        unpacked = site.value("unpacked", stored.shape, "float32", None)
        operators.append(make("DEQUANTIZE", (dense,), (unpacked,), version=maker.version))
        dense = unpacked
    inputs = (site.operator.inputs[0], dense, *site.operator.inputs[2:])
    return (*operators, replace(site.operator, inputs=inputs))


def _add(site: Site, tensor: Tensor, suffix: str) -> int:
    site.tensors.append(replace(tensor, name=f"{tensor.name.split(';')[0]}_{suffix}"))
    return len(site.tensors) - 1


def _smaller(network: Network, result: int) -> bool:
    """The convolution that makes ``result`` has dense weights that take fewer bytes without their zeros."""
    operators, tensors = network.main.operators, network.main.tensors
    makers = {operator.outputs[0]: operator for operator in operators if operator.outputs}
    if result not in makers:
        return False
    index = makers[result].inputs[1]
    maker = makers.get(index)
    if maker is not None and maker.name != "DEQUANTIZE":
        return False
    stored = tensors[index if maker is None else maker.inputs[0]]
    return stored.array is not None and not stored.is_variable and sparse_bytes(stored) < len(stored.buffer)
