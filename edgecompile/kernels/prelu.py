"""PRELU int8 and float32: twin of ``prelu.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import NUMBERS, of_one_type
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Setting, Site

OPERATORS = ("PRELU",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int8", "float32"), site.input(0), site.input(1), site.output)
    if reason is not None:
        return reason
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of the input. Multipliers as CalculatePreluParams of micro/kernels/prelu_common.cc."""
    source, slope, output = site.given(0), site.given(1), site.output
    settings: dict[str, Setting] = {**(grid(site) or {}), "type": NUMBERS[output.dtype]}
    if output.dtype == "int8":
        plain = quantize_multiplier(scale_of(source) / scale_of(output))
        sloped = quantize_multiplier(scale_of(source) * scale_of(slope) / scale_of(output))
        settings |= {
            "input_zero_point": zero_point_of(source),
            "slope_zero_point": zero_point_of(slope),
            "output_zero_point": zero_point_of(output),
            "multiplier": plain[0],
            "shift": plain[1],
            "slope_multiplier": sloped[0],
            "slope_shift": sloped[1],
            "rounding": int(site.rounding == "once"),
        }
    call = Call(kernel="prelu", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs)
    return Routine(calls=(call,), overlaps=overlaps(site))
