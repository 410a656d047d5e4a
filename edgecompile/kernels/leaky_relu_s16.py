"""LEAKY_RELU int16: twin of ``leaky_relu_s16.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.elements import element_by_element
from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("LEAKY_RELU",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if is_quantized(site.input(0), "int16") and is_quantized(site.output, "int16"):
        return None
    return "element types other than int16"


def routine(site: Site) -> Routine:
    """One call; multipliers are quotients of double precision: CalculateOpDataLeakyRelu of leaky_relu_common.cc."""
    source, output = scale_of(site.given(0)), scale_of(site.output)
    slope = source * float(np.float32(site.operator.options["alpha"])) / output
    multiplier, shift = quantize_multiplier(source / output)
    slope_multiplier, slope_shift = quantize_multiplier(abs(slope))
    call = Call(
        kernel="leaky_relu_s16",
        settings={
            "count": site.output.elements,
            "multiplier": multiplier,
            "shift": shift,
            "slope_multiplier": -slope_multiplier if slope < 0 else slope_multiplier,
            "slope_shift": slope_shift,
            "input_zero_point": zero_point_of(site.given(0)),
            "output_zero_point": zero_point_of(site.output),
            "rounding": int(site.rounding == "once"),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))
