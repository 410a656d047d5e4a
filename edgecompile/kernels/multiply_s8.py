"""MUL int8, with broadcasting: twin of ``multiply_s8.h``."""

from __future__ import annotations

from edgecompile.kernels.add_s8 import refuse
from edgecompile.kernels.broadcast import grid, overlaps
from edgecompile.kernels.quantities import activation_range, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

__all__ = ["OPERATORS", "refuse", "routine"]
OPERATORS = ("MUL",)


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast."""
    sizes = grid(site)
    assert sizes is not None
    first, second, output = site.given(0), site.given(1), site.output
    multiplier, shift = quantize_multiplier(scale_of(first) * scale_of(second) / scale_of(output))
    lowest, highest = activation_range(site)
    call = Call(
        kernel="multiply_s8",
        settings={
            **sizes,
            "first_zero_point": zero_point_of(first),
            "second_zero_point": zero_point_of(second),
            "output_zero_point": zero_point_of(output),
            "multiplier": multiplier,
            "shift": shift,
            "lowest": lowest,
            "highest": highest,
            "rounding": int(site.rounding == "once"),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=overlaps(site))
