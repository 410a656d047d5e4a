"""Operators of one float32 input and output, element by element: twin of ``unary_f32.h``."""

from __future__ import annotations

from edgecompile.kernels.elements import element_by_element, of_one_type
from edgecompile.kernels.routine import Call, Routine, Site

# In the order of the header's numbers.
OPERATORS = (
    "ABS",
    "CEIL",
    "COS",
    "ELU",
    "EXP",
    "FLOOR",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOG",
    "LOGISTIC",
    "NEG",
    "RELU",
    "RELU6",
    "ROUND",
    "RSQRT",
    "SIN",
    "SQRT",
    "SQUARE",
    "TANH",
)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    return of_one_type(("float32",), site.input(0), site.output)


def routine(site: Site) -> Routine:
    """One call; may be in place."""
    call = Call(
        kernel="unary_f32",
        settings={
            "count": site.output.elements,
            "function": OPERATORS.index(site.operator.name),
            "slope": float(site.operator.options.get("alpha", 0.0)),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))
