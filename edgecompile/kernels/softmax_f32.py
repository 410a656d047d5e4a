"""SOFTMAX float32: twin of ``softmax_f32.h``."""

from __future__ import annotations

from edgecompile.kernels.elements import element_by_element, of_one_type
from edgecompile.kernels.routine import Call, Routine, Site

OPERATORS = ("SOFTMAX",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    return of_one_type(("float32",), site.input(0), site.output)


def routine(site: Site) -> Routine:
    """One call; may be in place."""
    depth = site.output.shape[-1]
    call = Call(
        kernel="softmax_f32",
        settings={
            "rows": site.output.elements // depth,
            "depth": depth,
            "beta": float(site.operator.options.get("beta", 1.0)),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))
