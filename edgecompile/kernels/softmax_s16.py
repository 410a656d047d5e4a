"""SOFTMAX int16, exponentials and reciprocals from tables: twin of ``softmax_s16.h``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgecompile.kernels.elements import element_by_element, of_one_type
from edgecompile.kernels.quantities import scale_of
from edgecompile.kernels.rounding import quantize_multiplier
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("SOFTMAX",)
_STEPS = 512


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = of_one_type(("int16",), site.input(0), site.output)
    if reason is not None:
        return reason
    # The reference takes scales that are near it.
    return None if abs(scale_of(site.output) * 32768 - 1) <= 0.001 else "an output scale other than 1/32768"


def routine(site: Site) -> Routine:
    """One call; differences of [-65535, 0] stand for [-10, 0]: CalculateSoftmaxParams."""
    depth = site.output.shape[-1]
    beta = float(np.float32(site.operator.options.get("beta", 1.0)))
    multiplier, shift = quantize_multiplier(scale_of(site.given(0)) * beta / (10.0 / 65535.0))
    call = Call(
        kernel="softmax_s16",
        settings={
            "rows": site.output.elements // depth,
            "depth": depth,
            "multiplier": multiplier,
            "shift": shift,
            "rounding": int(site.rounding == "once"),
        },
        constants={
            "exponentials": _table(np.exp, -10.0, 0.0),
            "reciprocals": _table(lambda x: np.float32(1.0) / (np.float32(1.0) + x), 0.0, 1.0),
        },
        inputs=site.operator.inputs,
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,), overlaps=element_by_element(site))


def _table(function: Callable[[Array], Array], low: float, high: float) -> Array:
    """LUTPopulate of internal/common.h in float32: samples, half of the error between them taken away."""
    step = np.float32((high - low) / _STEPS)
    places = np.float32(low) + np.arange(_STEPS, dtype=np.float32) * step
    here, behind = _scaled(function(places)), _scaled(function(places + step))
    middle = _scaled(function(places + step / np.float32(2.0)))
    sample = _away(here)
    error = _away((behind + sample) / np.float32(2.0)) - _away(middle)
    values = np.append(sample - _away(error / np.float32(2.0)), _away(_scaled(function(np.array([high], np.float32)))))
    return np.clip(values, -32768, 32767).astype(np.int16)


def _scaled(values: Array) -> Array:
    return np.asarray(values.astype(np.float32) * np.float32(32768.0))


def _away(values: Array) -> Array:
    """To the nearest whole number, halves away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(values) + np.float32(0.5)), values))
