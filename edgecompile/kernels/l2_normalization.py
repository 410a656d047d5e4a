"""L2_NORMALIZATION int8 and float32: twin of ``l2_normalization.h``."""

from __future__ import annotations

from edgecompile.kernels.elements import NUMBERS, element_by_element, of_one_type
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("L2_NORMALIZATION",)
# Squares of 9 bits fit into int32 for so many.
_DEEPEST = 1 << 14


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int8", "float32"), site.input(0), site.output)
    if reason is not None:
        return reason
    if site.operator.options.get("fused_activation_function", "NONE") != "NONE":
        return f"fused activation {site.operator.options['fused_activation_function']}"
    output = site.output
    if output.dtype == "int8" and (scale_of(output) != 1 / 128 or zero_point_of(output) != 0):
        return "an output scale other than 1/128 with zero point 0"
    return "more than 16384 values in a row" if output.shape and output.shape[-1] > _DEEPEST else None


def routine(site: Site) -> Routine:
    """One call; may be in place."""
    depth = site.output.shape[-1]
    call = Call(
        kernel="l2_normalization",
        settings={
            "rows": site.output.elements // depth,
            "depth": depth,
            "type": NUMBERS[site.output.dtype],
            "input_zero_point": zero_point_of(site.given(0)) if site.output.dtype == "int8" else 0,
            "rounding": int(site.rounding == "once"),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))
