"""HARD_SWISH from operators that every accelerator has: ``x · relu6(x + 3) / 6``."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rewrites._site import Site, affine, make, quantization, rewrite

SUMMARY = "HARD_SWISH as x/6 * relu6(x + 3): MUL, ADD, MUL"
KEEPS = "within 2 steps of the outputs of each one"

_GATE_TOP = 6.0


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``y = (x / 6) · relu6(x + 3)`` for 8-bit HARD_SWISH that the target refuses.

    ``x / 6`` is exact: the numbers stay, their scale is a sixth. ``relu6(x + 3)`` takes 255 steps of 6/255, so it is
    off by at most half of one, which moves ``y`` by at most ``|x| / 510``; that and three roundings (ADD, MUL, and
    TFLite's own in HARD_SWISH) make the bound.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    if site.operator.name != "HARD_SWISH" or not site.refused:
        return None
    x, y = site.input(0), site.result
    form, made = affine(x), affine(y)
    if x is None or form is None or made is None or x.dtype != y.dtype or not x.shape:
        return None
    limits, ones, dtype = np.iinfo(x.dtype), (1,) * len(x.shape), x.dtype
    # 64 steps of 1/384 are a sixth; a 1 would need a factor of 1, for which TFLite wants a newer version of MUL.
    sixth = site.store("sixth", np.full(ones, 64), dtype, quantization(1 / 384, 0))
    three = site.store("three", np.full(ones, limits.max), dtype, quantization(3 / limits.max, 0))
    share = site.value("share", x.shape, dtype, quantization(form[0] / 6, form[1]))
    gate = site.value("gate", x.shape, dtype, quantization(_GATE_TOP / 255, int(limits.min)))
    source = site.operator.inputs[0]
    return (
        make("MUL", (source, sixth), (share,), dtype),
        make("ADD", (source, three), (gate,), dtype, fused_activation_function="RELU6"),
        make("MUL", (share, gate), site.operator.outputs, dtype),
    )
