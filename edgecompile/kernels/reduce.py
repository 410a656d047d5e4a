"""REDUCE_MAX, and MEAN and SUM of int16 and float32, over any axes: twin of ``reduce.h``."""

from __future__ import annotations

from edgecompile.kernels.elements import NUMBERS, of_one_type
from edgecompile.kernels.mean_s8 import levels_of, mean_multiplier
from edgecompile.kernels.quantities import scale_of, zero_point_of
from edgecompile.kernels.routine import Call, Routine, Setting, Site

# In the order of the header's numbers.
OPERATORS = ("REDUCE_MAX", "SUM", "MEAN")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    types = ("int8", "float32") if site.operator.name == "REDUCE_MAX" else ("int16", "float32")
    reason = of_one_type(types, site.input(0), site.output)
    if reason is not None:
        return reason
    if site.output.dtype == "int8" and _quantities(site, 0) != _quantities(site, 1):
        return "an output scale other than the input's"
    axes = site.input(1)
    if axes is None or axes.array is None:
        return "axes that are not constant"
    return None if levels_of(site) is not None else "axes in more than two groups"


def routine(site: Site) -> Routine:
    """One call."""
    levels = levels_of(site)
    assert levels is not None
    settings: dict[str, Setting] = {
        **dict(zip(("kept_outer", "gone_outer", "kept_inner", "gone_inner"), levels, strict=True)),
        "type": NUMBERS[site.output.dtype],
        "operation": OPERATORS.index(site.operator.name),
        "rounding": int(site.rounding == "once"),
    }
    if site.output.dtype == "int16":
        settings["multiplier"], settings["shift"] = mean_multiplier(site, levels[1] * levels[3])
    call = Call(kernel="reduce", settings=settings, inputs=site.operator.inputs[:1], outputs=site.operator.outputs)
    return Routine(calls=(call,))


def _quantities(site: Site, which: int) -> tuple[float, int]:
    tensor = site.output if which else site.given(0)
    return scale_of(tensor), zero_point_of(tensor)
