"""RESIZE_BILINEAR int8, int16 and float32: twin of ``resize_bilinear.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.elements import NUMBERS, one_of
from edgecompile.kernels.nearest import between, between_real
from edgecompile.kernels.routine import Array, Call, Routine, Site

OPERATORS = ("RESIZE_BILINEAR",)
_TYPES = ("int8", "int16", "float32")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    source = site.given(0)
    if source.dtype not in _TYPES or source.dtype != site.output.dtype:
        return f"element types other than {one_of(_TYPES)}"
    return "another rank than 4" if len(source.shape) != 4 else None


def routine(site: Site) -> Routine:
    """One call; the reference does not look at scales either."""
    batches, height, width, channels = site.given(0).shape
    _, out_h, out_w, _ = site.output.shape
    constants: dict[str, Array] = {}
    options = site.operator.options
    corners, centers = bool(options.get("align_corners")), bool(options.get("half_pixel_centers"))
    real = site.output.dtype == "float32"
    for name, source, target, stride in (("row", height, out_h, width * channels), ("column", width, out_w, channels)):
        low, high, part = (between_real if real else between)(source, target, corners, centers)
        constants[f"{name}_low"] = (low * stride).astype(np.int32)
        constants[f"{name}_high"] = (high * stride).astype(np.int32)
        constants[f"{name}_{'real' if real else 'part'}"] = part.astype(np.float32 if real else np.int32)
    call = Call(
        kernel="resize_bilinear",
        settings={
            "batches": batches,
            "image": height * width * channels,
            "out_h": out_h,
            "out_w": out_w,
            "channels": channels,
            "type": NUMBERS[site.output.dtype],
            "rounding": int(site.rounding == "once"),
        },
        constants=constants,
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(call,))
