"""A dense layer in a form that a target does not read, as a 1x1 convolution, which it does."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.legalize.rewrites._site import BY_ANOTHER_FACTOR, Site, make, rewrite

SUMMARY = "FULLY_CONNECTED with per-channel scales or kept dimensions as CONV_2D 1x1"
KEEPS = BY_ANOTHER_FACTOR


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``W·x`` for each of the rows of ``x[..., k]`` is ``conv(x[1, 1, rows, k], W[m, 1, 1, k])``.

    For int8 FULLY_CONNECTED with constant weights that the target refuses: with one scale per channel (version 12),
    or with ``keep_num_dims``. The weights' bytes, their scales and the bias stay; both operators sum in int32 and
    scale alike. Refused for shuffled or asymmetric weights.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, x, weights, y = site.operator, site.input(0), site.input(1), site.result
    if operator.name != "FULLY_CONNECTED" or x is None or weights is None or not _fits(x, weights, y, operator):
        return None
    if not site.refused:
        return None
    outputs, depth = weights.shape
    rows = x.elements // depth
    quantization = replace(weights.quantization, axis=0) if weights.quantization else None
    kernel = site.keep("kernel", weights, (outputs, 1, 1, depth), quantization)
    source, result = operator.inputs[0], operator.outputs[0]
    before: tuple[Operator, ...] = ()
    after: tuple[Operator, ...] = ()
    if x.shape != (1, 1, rows, depth) and not (len(x.shape) == 4 and y.shape == (*x.shape[:3], outputs)):
        source = site.like("rows", x, (1, 1, rows, depth))
        result = site.like("columns", y, (1, 1, rows, outputs))
        before, after = (site.reshape(operator.inputs[0], source),), (site.reshape(result, operator.outputs[0]),)
    activation = operator.options.get("fused_activation_function", "NONE")
    inputs = (source, kernel, site.bias())
    convolution = make("CONV_2D", inputs, (result,), x.dtype, padding="VALID", fused_activation_function=activation)
    return (*before, convolution, *after)


def _fits(x: Tensor, weights: Tensor, y: Tensor, operator: Operator) -> bool:
    """int8 throughout, weights constant, symmetric and in their plain order."""
    if {x.dtype, weights.dtype, y.dtype} != {"int8"} or x.quantization is None or y.quantization is None:
        return False
    if weights.quantization is None or any(weights.quantization.zero_points) or x.is_dynamic:
        return False
    if not weights.is_constant or weights.is_sparse or len(weights.shape) != 2 or x.elements % weights.shape[1]:
        return False
    return bool(operator.options.get("weights_format", "DEFAULT") == "DEFAULT")
