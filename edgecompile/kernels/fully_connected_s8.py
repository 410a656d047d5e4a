"""FULLY_CONNECTED int8, weights in pairs of outputs, four outputs at a time: twin of ``fully_connected_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import pairs
from edgecompile.kernels.convolution import refuse_convolution, scaling, uniform
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("FULLY_CONNECTED",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    if site.operator.options.get("weights_format", "DEFAULT") != "DEFAULT":
        return "shuffled weights"
    weights = site.given(1).array
    assert weights is not None
    return None if pairs.can_pair(weights) else "two weights that do not fit into one int16"


def routine(site: Site) -> Routine:
    """One call without scratch."""
    weights = site.given(1).array
    assert weights is not None
    quantities, constants = scaling(site, weights)
    is_uniform, constants = uniform(constants)
    call = Call(
        kernel="fully_connected_s8",
        settings={
            "is_uniform": int(is_uniform),
            "batches": site.output.elements // len(weights),
            "inputs": weights.shape[1],
            "outputs": len(weights),
            **quantities,
        },
        constants={"weights": _fours(pairs.pair(weights)), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def _fours(both: Array) -> Array:
    """int16[o / 4, group, pair, 4]: what four outputs need of four inputs lies together; missing outputs are 0."""
    both = np.pad(both, ((0, len(both) % 2), (0, 0)))
    return np.ascontiguousarray(both.reshape(len(both) // 2, 2, -1, 4).transpose(0, 2, 1, 3))
