"""ARG_MAX and ARG_MIN: twin of ``arg_extreme.h``."""

from __future__ import annotations

from math import prod

from edgecompile.kernels.elements import NUMBERS, one_of
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("ARG_MAX", "ARG_MIN")
_TYPES = ("int8", "int16", "int32", "float32")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.given(0).dtype not in _TYPES:
        return f"element types other than {one_of(_TYPES)}"
    if site.output.dtype not in ("int32", "int64"):
        return "an output other than int32 and int64"
    return "an axis that is not constant" if site.given(1).array is None else None


def routine(site: Site) -> Routine:
    """One call; the reference does not look at scales either."""
    shape, array = site.given(0).shape, site.given(1).array
    assert array is not None
    axis = int(array.reshape(-1)[0]) % len(shape)
    call = Call(
        kernel="arg_extreme",
        settings={
            "outer": prod(shape[:axis]),
            "axis": shape[axis],
            "inner": prod(shape[axis + 1 :]),
            "type": NUMBERS[site.given(0).dtype],
            "output_type": NUMBERS[site.output.dtype],
            "is_maximum": int(site.operator.name == "ARG_MAX"),
        },
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))
