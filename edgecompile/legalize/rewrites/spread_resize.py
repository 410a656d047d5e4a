"""A resize of a single pixel copies it: CONCATENATION does that, whatever the factor."""

from __future__ import annotations

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rewrites._site import Site, make, rewrite, same_scale

SUMMARY = "resizes of a 1x1 image as copies side by side: CONCATENATION"
KEEPS = "every bit of the outputs"

_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``resize(x[1, 1, 1, c], (h, w))`` repeats ``x`` along the width, then that row along the height.

    For resizes that the target refuses. Any interpolation between equal values is that value, with any setting.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    if site.operator.name not in _RESIZES or not site.refused:
        return None
    x, y = site.input(0), site.result
    if x is None or len(x.shape) != 4 or x.shape[1:3] != (1, 1) or not same_scale(x, y):
        return None
    height, width = y.shape[1:3]
    row = site.operator.outputs[0] if height == 1 else site.like("row", x, (x.shape[0], 1, width, x.shape[3]))
    across = make("CONCATENATION", site.operator.inputs[:1] * width, (row,), x.dtype, axis=2)
    if height == 1:
        return (across,)
    return across, make("CONCATENATION", (row,) * height, site.operator.outputs, x.dtype, axis=1)
