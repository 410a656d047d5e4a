"""TRANSPOSE_CONV of int16 with int8 weights, or of float32: twin of ``transpose_convolve.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import convolve
from edgecompile.kernels.elements import NUMBERS
from edgecompile.kernels.quantities import LIMITS, channel_multipliers
from edgecompile.kernels.routine import Array, Call, Routine, Setting, Site
from edgecompile.kernels.transpose_conv_s8 import like_a_convolution, sizes_of

OPERATORS = ("TRANSPOSE_CONV",)
# Asked after the kernel of int8.
RANK = 2


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    # The reference leaves a fused activation out (micro/kernels/transpose_conv.cc).
    if site.operator.options.get("fused_activation_function", "NONE") != "NONE":
        return f"fused activation {site.operator.options['fused_activation_function']}"
    return convolve.refuse(like_a_convolution(site))


def routine(site: Site) -> Routine:
    """One call without scratch; each output gathers the inputs that reach it."""
    site = like_a_convolution(site)
    weights = site.given(1).array
    assert weights is not None
    is_real = site.output.dtype == "float32"
    lowest, highest = LIMITS["int16"]
    bounds: dict[str, Setting] = {"is_bounded": 0} if is_real else {"lowest": lowest, "highest": highest}
    one_group: dict[str, Setting] = {"type": NUMBERS[site.output.dtype], "group_c": weights.shape[-1]}
    call = Call(
        kernel="transpose_convolve",
        settings={**sizes_of(site, weights), **one_group, **bounds},
        constants=(_real if is_real else _whole)(site, weights),
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def _real(site: Site, weights: Array) -> dict[str, Array]:
    bias = convolve.bias_as(site, len(weights), np.float32)
    return {"real_weights": np.ascontiguousarray(weights), "real_bias": bias}


def _whole(site: Site, weights: Array) -> dict[str, Array]:
    multiplier, shift = channel_multipliers(site.given(0), site.given(1), site.output, len(weights))
    return {
        "weights": convolve.for_wide_dot(weights),
        "bias": convolve.bias_as(site, len(weights), np.int64),
        "multiplier": multiplier,
        "shift": shift,
    }
