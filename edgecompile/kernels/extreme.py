"""MAXIMUM and MINIMUM, with broadcasting: twin of ``extreme.h``."""

from __future__ import annotations

from edgecompile.kernels.broadcast import TOO_MANY_AXES, grid, overlaps
from edgecompile.kernels.elements import NUMBERS, one_of
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("MAXIMUM", "MINIMUM")
_TYPES = ("int8", "int16", "int32", "int64", "float32")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    tensors = (site.input(0), site.input(1), site.output)
    if any(tensor is None or tensor.dtype != site.output.dtype or tensor.dtype not in _TYPES for tensor in tensors):
        return f"element types other than {one_of(_TYPES)}"
    return None if grid(site) is not None else TOO_MANY_AXES


def routine(site: Site) -> Routine:
    """One call; may be in place of an input that is not broadcast. The reference does not look at scales either."""
    sizes = grid(site)
    assert sizes is not None
    is_maximum = int(site.operator.name == "MAXIMUM")
    call = Call(
        kernel="extreme",
        settings={**sizes, "type": NUMBERS[site.output.dtype], "is_maximum": is_maximum},
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=overlaps(site))
