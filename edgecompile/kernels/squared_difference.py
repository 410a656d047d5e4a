"""SQUARED_DIFFERENCE int8 and int16, with broadcasting: twin of ``squared_difference.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import NUMBERS, of_one_type
from edgecompile.kernels.quantities import LIMITS, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("SQUARED_DIFFERENCE",)
# Bits that the inputs are lifted by: micro/kernels/squared_difference.cc.
_LEFT_SHIFT = {"int8": 7, "int16": 0}


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int8", "int16"), site.input(0), site.input(1), site.output)
    if reason is not None:
        return reason
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast."""
    first, second, output = site.given(0), site.given(1), site.output
    lift = 1 << _LEFT_SHIFT[output.dtype]
    largest = 2 * max(scale_of(first), scale_of(second))
    settings: dict[str, int | float | str] = dict(grid(site) or {})
    for name, real in (
        ("first", scale_of(first) / largest),
        ("second", scale_of(second) / largest),
        ("output", largest * largest / (lift * lift * scale_of(output))),
    ):
        settings[f"{name}_multiplier"], settings[f"{name}_shift"] = quantize_multiplier(real)
    settings |= {
        "type": NUMBERS[output.dtype],
        "lift": lift,
        "first_zero_point": zero_point_of(first),
        "second_zero_point": zero_point_of(second),
        "output_zero_point": zero_point_of(output),
        "lowest": LIMITS[output.dtype][0],
        "highest": LIMITS[output.dtype][1],
        "rounding": int(site.rounding == "once"),
    }
    call = Call(
        kernel="squared_difference", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs
    )
    return Routine(calls=(call,), overlaps=overlaps(site))
