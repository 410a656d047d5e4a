"""An activation that a target does not take fused, as an operator of its own."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rewrites._site import Site, affine, make, rewrite

SUMMARY = "activations fused into pools as operators of their own"
KEEPS = "every bit of the outputs"
UNDONE_BY = ("fuse_activations",)

_OPERATORS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1")


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``pool+relu(x) = relu(pool(x))``: both clamp the same rounded integers at the same bounds.

    For 8-bit operators that the target refuses with the activation fused.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, y = site.operator, site.result
    activation = operator.options.get("fused_activation_function", "NONE")
    if operator.name not in _OPERATORS or activation not in _ACTIVATIONS or affine(y) is None or not site.refused:
        return None
    before = site.like("linear", y)
    plain = replace(operator, outputs=(before,), options={**operator.options, "fused_activation_function": "NONE"})
    return plain, make(activation, (before,), operator.outputs, y.dtype)
