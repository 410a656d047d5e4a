"""A dense layer larger than the parameter memory, in parts that fit, so that part of it is kept there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Quantization, Tensor
from edgecompile.legalize.rewrites._site import Array, Site, affine, make, rewrite

SUMMARY = "FULLY_CONNECTED larger than the parameter memory in parts joined by CONCATENATION"
KEEPS = "every bit of the outputs"

# A part is a quarter of the memory at most, so that other layers find room beside it; outputs in whole groups of 64,
# by which the Edge TPU lays out parameters.
_PARTS_IN_MEMORY = 4
_GROUP = 64


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``W·x`` is the rows of ``W`` in parts, each times ``x``, one behind the other.

    For int8 weights of more bytes than ``memory_bytes`` of the profile's ``[board]``, which says how much
    memory holds parameters (whole layers are kept or streamed). Nothing without that figure.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    memory = site.target.board.get("memory_bytes")
    operator, weights, y = site.operator, site.input(1), site.result
    if operator.name != "FULLY_CONNECTED" or not isinstance(memory, int) or weights is None or affine(y) is None:
        return None
    values = site.constant(1)
    if values is None or weights.dtype != "int8" or weights.size_bytes <= memory or y.elements != weights.shape[0]:
        return None
    biases = site.constant(2) if len(operator.inputs) > 2 and operator.inputs[2] >= 0 else None
    if (bias := site.input(2)) is not None and biases is None:
        return None
    rows = max(memory // _PARTS_IN_MEMORY // weights.shape[1] // _GROUP * _GROUP, _GROUP)
    parts, operators = [], []
    for first in range(0, weights.shape[0], rows):
        part = slice(first, first + rows)
        inputs = [operator.inputs[0], _stored(site, f"weights_{first}", weights, values, part)]
        if bias is not None and biases is not None:
            inputs.append(_stored(site, f"bias_{first}", bias, biases, part))
        parts.append(site.like(f"part_{first}", y, (*y.shape[:-1], min(rows, weights.shape[0] - first))))
        operators.append(replace(operator, inputs=tuple(inputs), outputs=(parts[-1],)))
    return *operators, make("CONCATENATION", parts, operator.outputs, y.dtype, axis=len(y.shape) - 1)


def _stored(site: Site, suffix: str, tensor: Tensor, values: Array, part: slice) -> int:
    """Rows of a constant, with their scales where there is one for each."""
    given = tensor.quantization
    cut = None
    if given is not None and given.per_channel:
        cut = Quantization(scales=given.scales[part], zero_points=given.zero_points[part], axis=given.axis)
    return site.store(suffix, np.asarray(values)[part], tensor.dtype, cut or given)
