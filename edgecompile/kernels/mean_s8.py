"""MEAN and SUM int8 over any axes: twin of ``mean_s8.h``."""

from __future__ import annotations

from edgecompile.kernels.quantities import is_quantized, scale_of, zero_point_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("MEAN", "SUM")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if not is_quantized(site.input(0), "int8") or not is_quantized(site.output, "int8"):
        return "element types other than int8"
    axes = site.input(1)
    if axes is None or axes.array is None:
        return "axes that are not constant"
    return None if levels_of(site) is not None else "axes in more than two groups"


def routine(site: Site) -> Routine:
    """One call."""
    levels = levels_of(site)
    assert levels is not None
    count = levels[1] * levels[3]
    multiplier, shift = mean_multiplier(site, count)
    names = ("kept_outer", "summed_outer", "kept_inner", "summed_inner")
    call = Call(
        kernel="mean_s8",
        settings={
            **dict(zip(names, levels, strict=True)),
            "offset": -zero_point_of(site.given(0)) * count,
            "multiplier": multiplier,
            "shift": shift,
            "output_zero_point": zero_point_of(site.output),
            "rounding": int(site.rounding == "once"),
        },
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))


def mean_multiplier(site: Site, count: int) -> tuple[int, int]:
    """Multiplier and shift; a mean's divisor is part of them, as QuantizedMeanOrSum of reference/reduce.h has it."""
    multiplier, shift = quantize_multiplier(scale_of(site.given(0)) / scale_of(site.output))
    if site.operator.name == "MEAN":
        spare = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << spare) // count, shift - spare
    return multiplier, shift


def levels_of(site: Site) -> tuple[int, int, int, int] | None:
    """Sizes of kept and summed axes in turn, from the outside; None when they alternate more often."""
    shape = site.given(0).shape
    array = site.given(1).array
    assert array is not None
    summed = {int(axis) % len(shape) for axis in array.reshape(-1)} if shape else set()
    levels: list[int] = [1]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if (len(levels) % 2 == 0) == (axis in summed):
            levels[-1] *= size
        else:
            levels.append(size)
    if len(levels) > 4:
        return None
    levels += [1] * (4 - len(levels))
    return levels[0], levels[1], levels[2], levels[3]
