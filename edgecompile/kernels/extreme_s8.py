"""MAXIMUM and MINIMUM int8, with broadcasting: twin of ``extreme_s8.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import grid, overlaps
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("MAXIMUM", "MINIMUM")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if any(tensor is None or tensor.dtype != "int8" for tensor in (site.input(0), site.input(1), site.output)):
        return "element types other than int8"
    return None if grid(site) is not None else "more than four axes that broadcast differently"


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast. The reference does not look at scales either."""
    sizes = grid(site)
    assert sizes is not None
    call = Call(
        kernel="extreme_s8",
        settings={**sizes, "is_maximum": int(site.operator.name == "MAXIMUM")},
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=overlaps(site))
