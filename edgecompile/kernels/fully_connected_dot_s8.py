"""FULLY_CONNECTED int8, weights as rows, for cores with Helium: twin of ``fully_connected_dot_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import HELIUM
from edgecompile.kernels.convolution import refuse_convolution, scaling, uniform
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("FULLY_CONNECTED",)
# Before the kernels for other cores.
RANK = -2


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.kernels != HELIUM:
        return "a core without Helium"
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    return "shuffled weights" if site.operator.options.get("weights_format", "DEFAULT") != "DEFAULT" else None


def routine(site: Site) -> Routine:
    """One call without scratch."""
    weights = site.given(1).array
    assert weights is not None
    quantities, constants = scaling(site, weights, paired=False)
    is_uniform, constants = uniform(constants)
    call = Call(
        kernel="fully_connected_dot_s8",
        settings={
            "is_uniform": int(is_uniform),
            "batches": site.output.elements // len(weights),
            "inputs": weights.shape[1],
            "outputs": len(weights),
            **quantities,
        },
        constants={"weights": np.ascontiguousarray(weights), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))
