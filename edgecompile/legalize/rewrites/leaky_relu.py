"""LEAKY_RELU as PRELU, its general form, with the same slope for every channel."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rewrites._site import Site, affine, make, quantization, rewrite

SUMMARY = "LEAKY_RELU as PRELU with one slope"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``prelu(x, a) = x where x ≥ 0, else a · x`` for 8-bit LEAKY_RELU that the target refuses.

    The slope is stored as ±1 steps of ``|a|``, so PRELU multiplies by exactly the factor that LEAKY_RELU uses. Shape
    ``[1, 1, c]``: as Keras' ``PReLU(shared_axes=[1, 2])`` has it.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    slope = site.operator.options.get("alpha")
    if site.operator.name != "LEAKY_RELU" or not slope or not site.refused:
        return None
    x, y = site.input(0), site.result
    if x is None or affine(x) is None or affine(y) is None or x.dtype != y.dtype or len(x.shape) < 2:
        return None
    zero = 0 if x.dtype == "int8" else 1
    values = np.full((*(1,) * (len(x.shape) - 2), x.shape[-1]), zero + np.sign(slope))
    alpha = site.store("slope", values, x.dtype, quantization(abs(slope), zero))
    return (make("PRELU", (site.operator.inputs[0], alpha), site.operator.outputs, version=1),)
