"""ADD, SUB, MUL, DIV and SQUARED_DIFFERENCE of float32 and int32, with broadcasting: twin of ``arithmetic.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import NUMBERS, of_one_type, real_range
from edgecompile.kernels.quantities import is_fused
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    types = ("float32",) if site.operator.name == "DIV" else ("float32", "int32")
    reason = of_one_type(types, site.input(0), site.input(1), site.output)
    if reason is not None:
        return reason
    fused = site.operator.options.get("fused_activation_function", "NONE")
    if not is_fused(site) or (site.output.dtype == "int32" and fused != "NONE"):
        return f"fused activation {fused}"
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast."""
    lowest, highest = real_range(site)
    call = Call(
        kernel="arithmetic",
        settings={
            **(grid(site) or {}),
            "type": NUMBERS[site.output.dtype],
            "operation": OPERATORS.index(site.operator.name),
            "lowest": lowest,
            "highest": highest,
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=overlaps(site))
