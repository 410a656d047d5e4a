"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL, with broadcasting: twin of ``compare.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import NUMBERS, of_one_type, one_of
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Setting, Site

OPERATORS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
_TYPES = ("int8", "int32", "int64", "float32")
# The reference compares bool for equality only.
_OF_BOOL = ("EQUAL", "NOT_EQUAL")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    types = (*_TYPES, "bool") if site.operator.name in _OF_BOOL else _TYPES
    reason = of_one_type(types, site.input(0), site.input(1))
    if reason is not None:
        return reason
    if site.output.dtype != "bool":
        return f"an output other than bool of {one_of(types)}"
    if site.given(0).dtype == "int8" and any(scale_of(site.given(i)) >= 1 for i in (0, 1)):
        return "a scale of 1 or more"
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; int8 is scaled as ComparisonsPrepare of micro/kernels/comparisons.cc has it."""
    first, second = site.given(0), site.given(1)
    settings: dict[str, Setting] = {
        **(grid(site) or {}),
        "type": NUMBERS[first.dtype],
        "operation": OPERATORS.index(site.operator.name),
    }
    if first.dtype == "int8":
        settings |= {"is_scaled": 1, "rounding": int(site.rounding == "once")}
        for name, tensor in (("first", first), ("second", second)):
            settings[f"{name}_zero_point"] = zero_point_of(tensor)
            settings[f"{name}_multiplier"], settings[f"{name}_shift"] = quantize_multiplier(scale_of(tensor))
    call = Call(kernel="compare", settings=settings, inputs=site.operator.inputs, outputs=site.operator.outputs)
    return Routine(calls=(call,), overlaps=overlaps(site))
