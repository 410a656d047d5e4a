"""LOGISTIC and TANH int16 by interpolation in one table: twin of ``sigmoid_s16.h``."""

from __future__ import annotations

import math

import numpy as np

from edgecompile.kernels.elements import element_by_element, of_one_type
from edgecompile.kernels.quantities import scale_of
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("LOGISTIC", "TANH")
# Integer bits of the input: micro/kernels/logistic_common.cc, tanh.cc.
_INTEGER_BITS = 3
# Where the reference's table is one above the nearest value.
_RAISED = (4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46)
_RAISED_TOO = (49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int16",), site.input(0), site.output)
    if reason is not None:
        return reason
    return None if scale_of(site.output) == 1 / 32768 else "an output scale other than 1/32768"


def routine(site: Site) -> Routine:
    """One call; may be in place."""
    multiplier, shift = lift_of(scale_of(site.given(0)), site.operator.name == "TANH")
    call = Call(
        kernel="sigmoid_s16",
        settings={
            "count": site.output.elements,
            "is_tanh": int(site.operator.name == "TANH"),
            "multiplier": multiplier,
            "shift": shift,
        },
        constants={"table": table()},
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))


def lift_of(scale: float, is_tanh: bool) -> tuple[int, int]:
    """Multiplier and shift to the right: CalculateArithmeticOpDataLogistic, TanhPrepare.

    Powers of two at the table's own scale (for tanh: that or twice it) are a plain 3, times 2 where they are twice it.
    """
    power = math.log2(scale)
    left = 15 - _INTEGER_BITS + round(power)
    if power == round(power) and left in ((0, 1) if is_tanh else (0,)):
        return 3 << left, 0
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return int(multiplier), shift


def table() -> Array:
    """sigmoid_table_uint16 of internal/common.cc: the logistic function at i / 24 in Q0.16."""
    values = np.floor(65536.0 / (1.0 + np.exp(-np.arange(256) / 24.0)) + 0.5)
    values[[*_RAISED, *_RAISED_TOO]] += 1
    return np.asarray(values.astype(np.uint16))
