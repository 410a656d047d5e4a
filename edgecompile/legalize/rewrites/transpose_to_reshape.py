"""A TRANSPOSE that moves only dimensions of 1 leaves every value where it is: a RESHAPE."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rewrites._site import Site, rewrite, same_scale

SUMMARY = "TRANSPOSE that moves only dimensions of 1 as RESHAPE"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``transpose(x, p) = reshape(x)`` where ``p`` keeps the dimensions larger than 1 in their order.

    For tensors of 8 bits. Accelerators refuse transposes that they could do without; nothing refuses this.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    x, order = site.input(0), site.constant(1)
    if site.operator.name != "TRANSPOSE" or x is None or order is None or not same_scale(x, site.result):
        return None
    moved = [int(axis) for axis in np.asarray(order).reshape(-1) if x.shape[int(axis)] != 1]
    return (site.reshape(site.operator.inputs[0], site.operator.outputs[0]),) if moved == sorted(moved) else None
