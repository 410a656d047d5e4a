"""CONV_2D and FULLY_CONNECTED int8 as they stand in the file: groups, and weights that do not pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.kernels.convolution import Window, geometry, refuse_convolution, scaling
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("CONV_2D", "FULLY_CONNECTED")
# Slower than the kernels for pairs: taken where they refuse.
RANK = 1


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is None and site.operator.options.get("weights_format", "DEFAULT") != "DEFAULT":
        return "shuffled weights"
    return reason


def routine(site: Site) -> Routine:
    """One call without scratch."""
    weights = site.given(1).array
    assert weights is not None
    window = _window(site, weights)
    flat = weights.reshape(len(weights), -1)
    quantities, constants = scaling(site, flat)
    quantities = {name: value for name, value in quantities.items() if name != "is_plain"}
    call = Call(
        kernel="conv_2d_any_s8",
        settings={**window.settings(), "group_c": weights.shape[-1], **quantities},
        constants={"weights": np.ascontiguousarray(flat), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def _window(site: Site, weights: Array) -> Window:
    if site.operator.name == "CONV_2D":
        return geometry(site, weights.shape[1], weights.shape[2])
    outputs, inputs = weights.shape
    batches = site.output.elements // outputs
    one = Window(**{name: 1 for name in Window.__dataclass_fields__})
    return replace(one, batches=batches, in_c=inputs, out_c=outputs, pad_top=0, pad_left=0)
