"""SOFTMAX int8 to int8 or int16, exponentials from a table: twin of ``softmax_s8.h``."""

from __future__ import annotations

import math

import numpy as np

from edgecompile.kernels.elements import element_by_element
from edgecompile.kernels.exponential import exp_on_negative
from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import high_product, quantize_multiplier
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("SOFTMAX",)
# The input of exp() is Q5.26: kScaledDiffIntegerBits of reference/softmax.h.
_INTEGER_BITS = 5


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if not is_quantized(site.input(0), "int8") or not is_quantized(site.output, "int8", "int16"):
        return "element types other than int8 to int8 or int16"
    half = 1 << (7 if site.output.dtype == "int8" else 15)
    # The reference takes scales of int16 that are near it.
    near = 0.0 if site.output.dtype == "int8" else 0.001
    if zero_point_of(site.output) != -half or abs(scale_of(site.output) * 2 * half - 1) > near:
        return f"an output scale other than 1/{2 * half} with zero point {-half}"
    return None


def routine(site: Site) -> Routine:
    """One call; ``exponentials[d]`` is exp of d steps below the row's largest, Q0.31."""
    depth = site.output.shape[-1]
    call = Call(
        kernel="softmax_s8",
        settings={
            "rows": site.output.elements // depth,
            "depth": depth,
            "steps": len(table := _table(site)),
            "is_wide": int(site.output.dtype == "int16"),
        },
        constants={"exponentials": table},
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))


def _table(site: Site) -> Array:
    """PreprocessSoftmaxScaling and CalculateInputRadius; differences beyond the radius count as nothing."""
    limit = float((1 << 30) - 1) if site.rounding == "once" else float((1 << 31) - 1)
    beta = float(np.float32(site.operator.options.get("beta", 1.0)))
    real = min(beta * scale_of(site.given(0)) * (1 << (31 - _INTEGER_BITS)), limit)
    multiplier, shift = quantize_multiplier(real)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / (1 << shift))
    steps = np.arange(min(radius, 255) + 1, dtype=np.int64)
    # MultiplyByQuantizedMultiplierGreaterThanOne: shift first, one rounding in either reference.
    scaled = high_product(-steps << shift, multiplier)
    return exp_on_negative(scaled, _INTEGER_BITS).astype(np.int32)
