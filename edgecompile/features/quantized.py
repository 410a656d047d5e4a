"""From a feature to what the model's input holds, as a table: the rest of the pipeline's own answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.features.compute import real
from edgecompile.features.plan import Plan
from edgecompile.libs.affine import Port, quantize

Array = np.ndarray[Any, Any]


def scaled(features: Array, scale: tuple[float, ...], offset: tuple[float, ...]) -> Array:
    """``float32``: what [data.preprocess] makes of features in Q8."""
    x = real(features)
    if scale:
        x = x * np.float32(scale[0])
    return x + np.float32(offset[0]) if offset else x


def thresholds(plan: Plan, scale: tuple[float, ...], offset: tuple[float, ...], port: Port) -> Array:
    """``int32``: the least feature of each value of an 8-bit input but the lowest, rising.

    A feature stands for the lowest value and as many more as there are thresholds up to it. Found by asking the
    pipeline for every feature that can come out, so that C and Python cannot differ. ``scale`` must be above 0.
    """
    least, most = plan.range
    every = np.arange(least, most + 1, dtype=np.int32)
    values = quantize(scaled(every, scale, offset), port).astype(np.int64)
    limits = np.iinfo(port.dtype)
    places = np.searchsorted(values, np.arange(limits.min + 1, limits.max + 1), side="left")
    return np.asarray(places + least, dtype=np.int32)
