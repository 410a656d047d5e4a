"""ADD, SUB and MUL int16, with broadcasting: twin of ``arithmetic_s16.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import of_one_type
from edgecompile.kernels.quantities import activation_range, is_fused, scale_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("ADD", "SUB", "MUL")
# Bits of headroom that the inputs of sums are lifted by: kernels/add_common.cc.
_LEFT_SHIFT = 15


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int16",), site.input(0), site.input(1), site.output)
    if reason is not None:
        return reason
    if not is_fused(site):
        return f"fused activation {site.operator.options.get('fused_activation_function')}"
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast."""
    settings: dict[str, int | float | str] = dict(grid(site) or {})
    for name, real in _scales(site).items():
        settings[f"{name}_multiplier"], settings[f"{name}_shift"] = quantize_multiplier(real)
    lowest, highest = activation_range(site)
    settings |= {
        "operation": OPERATORS.index(site.operator.name),
        "lowest": lowest,
        "highest": highest,
        "rounding": int(site.rounding == "once"),
    }
    call = Call(kernel="arithmetic_s16", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs)
    return Routine(calls=(call,), overlaps=overlaps(site))


def _scales(site: Site) -> dict[str, float]:
    first, second, output = scale_of(site.given(0)), scale_of(site.given(1)), scale_of(site.output)
    if site.operator.name == "MUL":
        return {"output": first * second / output}
    largest = 2 * max(first, second)
    return {
        "first": first / largest,
        "second": second / largest,
        "output": largest / ((1 << _LEFT_SHIFT) * output),
    }
