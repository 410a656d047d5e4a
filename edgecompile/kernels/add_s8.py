"""ADD and SUB int8, with broadcasting: twin of ``add_s8.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.quantities import activation_range, is_fused, is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("ADD", "SUB")
# Bits of headroom that the inputs are lifted by: kernels/add_common.cc.
_LEFT_SHIFT = 20


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    tensors = (site.input(0), site.input(1), site.output)
    if not all(is_quantized(tensor, "int8") for tensor in tensors):
        return "element types other than int8"
    if not is_fused(site):
        return f"fused activation {site.operator.options.get('fused_activation_function')}"
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast."""
    sizes = grid(site)
    assert sizes is not None
    first, second, output = site.given(0), site.given(1), site.output
    largest = 2 * max(scale_of(first), scale_of(second))
    settings: dict[str, int | float | str] = dict(sizes)
    for name, real in (
        ("first", scale_of(first) / largest),
        ("second", scale_of(second) / largest),
        ("output", largest / ((1 << _LEFT_SHIFT) * scale_of(output))),
    ):
        settings[f"{name}_multiplier"], settings[f"{name}_shift"] = quantize_multiplier(real)
    lowest, highest = activation_range(site)
    settings |= {
        "first_zero_point": zero_point_of(first),
        "second_zero_point": zero_point_of(second),
        "output_zero_point": zero_point_of(output),
        "is_difference": int(site.operator.name == "SUB"),
        "lowest": lowest,
        "highest": highest,
        "rounding": int(site.rounding == "once"),
    }
    call = Call(kernel="add_s8", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs)
    return Routine(calls=(call,), overlaps=overlaps(site))
