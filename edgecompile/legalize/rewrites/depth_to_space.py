"""DEPTH_TO_SPACE, the last layer of super-resolution networks, as a transposed convolution that only moves values."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Quantization
from edgecompile.legalize.rewrites._site import Site, make, rewrite, same_scale

SUMMARY = "DEPTH_TO_SPACE as TRANSPOSE_CONV with a kernel of zeros and ones"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``y[b·i + u, b·j + v, c] = x[i, j, (b·u + v)·k + c]`` for ``k`` channels, with stride and kernel ``b``.

    ``W[c, u, v, (b·u + v)·k + c] = 1``, all other weights are 0. For int8 DEPTH_TO_SPACE that the target refuses. The
    weights take ``k² · b⁴`` bytes: little for the 1 to 3 channels of an image; refused where they would be more than
    the values that are moved.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, x, y = site.operator, site.input(0), site.result
    block = operator.options.get("block_size", 0)
    if operator.name != "DEPTH_TO_SPACE" or x is None or block < 2 or not site.refused:
        return None
    if len(x.shape) != 4 or x.dtype != "int8" or not same_scale(x, y):
        return None
    channels, depth = y.shape[3], x.shape[3]
    if channels * depth * block * block > x.elements:
        return None
    places = np.zeros((channels, block, block, depth), np.int8)
    for c, u, v in np.ndindex(channels, block, block):
        places[c, u, v, (block * u + v) * channels + c] = 1
    ones = Quantization(scales=(1.0,) * channels, zero_points=(0,) * channels, axis=0)
    kernel = site.store("kernel", places, "int8", ones)
    size = site.store("size", np.asarray(y.shape, np.int32), "int32")
    inputs = (size, kernel, operator.inputs[0])
    return (make("TRANSPOSE_CONV", inputs, operator.outputs, padding="VALID", stride_h=block, stride_w=block),)
