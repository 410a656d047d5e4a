"""Flatten and dense as one convolution over the whole image, so that nothing has to be flattened."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.legalize.rewrites._site import BY_ANOTHER_FACTOR, Site, make, rewrite, same_scale

SUMMARY = "RESHAPE and FULLY_CONNECTED over channels that are no multiple of 4 as one CONV_2D"
KEEPS = BY_ANOTHER_FACTOR

_GROUP = 4


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``W·flatten(x) = conv_valid(x[1, h, w, c], W[m, h, w, c])``: a row of ``W`` lies in memory as its kernel does.

    Only where ``c`` is no multiple of 4: an accelerator that keeps channels in groups of four has to pick a flattened
    image apart and put it together anew (the Edge TPU stores a permutation of the image's size as parameters for
    that). For int8 with constant symmetric weights.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, weights, y = site.operator, site.input(1), site.result
    image = _flattened(site)
    if image is None or weights is None or not _plain(weights, operator):
        return None
    x = site.tensors[image]
    outputs = weights.shape[0]
    if y.dtype != "int8" or y.quantization is None or y.elements != outputs or x.elements != weights.shape[1]:
        return None
    quantization = replace(weights.quantization, axis=0) if weights.quantization else None
    kernel = site.keep("kernel", weights, (outputs, *x.shape[1:]), quantization)
    pixel = site.like("pixel", y, (1, 1, 1, outputs))
    activation = operator.options.get("fused_activation_function", "NONE")
    inputs = (image, kernel, site.bias())
    convolution = make("CONV_2D", inputs, (pixel,), padding="VALID", fused_activation_function=activation)
    return convolution, site.reshape(pixel, operator.outputs[0])


def _flattened(site: Site) -> int | None:
    """The image whose flattened form a FULLY_CONNECTED reads."""
    if site.operator.name != "FULLY_CONNECTED":
        return None
    flatten = site.writer(site.operator.inputs[0])
    if flatten is None or flatten.name != "RESHAPE":
        return None
    x, flat = site.tensors[flatten.inputs[0]], site.tensors[flatten.outputs[0]]
    image = len(x.shape) == 4 and x.shape[0] == 1 and x.shape[1] * x.shape[2] > 1 and x.shape[3] % _GROUP != 0
    return flatten.inputs[0] if image and x.dtype == "int8" and same_scale(x, flat) else None


def _plain(weights: Tensor, operator: Operator) -> bool:
    if weights.dtype != "int8" or not weights.is_constant or weights.is_sparse or len(weights.shape) != 2:
        return False
    if weights.quantization is None or any(weights.quantization.zero_points):
        return False
    return bool(operator.options.get("weights_format", "DEFAULT") == "DEFAULT")
