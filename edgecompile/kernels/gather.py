"""GATHER by computed indices: twin of ``gather.h``."""

from __future__ import annotations

from math import prod

from edgecompile.ir.network import BITS
from edgecompile.kernels.routine import C_TYPES, Call, Routine, Site

OPERATORS = ("GATHER",)
# Constant indices make a table (pick).
RANK = 1


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.output.dtype not in C_TYPES or site.given(0).dtype != site.output.dtype:
        return f"element types {site.given(0).dtype} to {site.output.dtype}"
    if site.given(1).dtype != "int32":
        return "indices other than int32"
    return "batch dimensions" if site.operator.options.get("batch_dims", 0) else None


def routine(site: Site) -> Routine:
    """One call."""
    shape = site.given(0).shape
    axis = site.operator.options["axis"] % len(shape)
    call = Call(
        kernel="gather",
        settings={
            "outer": prod(shape[:axis]),
            "axis": shape[axis],
            "count": site.given(1).elements,
            "run": prod(shape[axis + 1 :]) * BITS[site.output.dtype] // 8,
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))
