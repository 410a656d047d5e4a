"""Which pixels of an axis a resized axis is made of, in the reference's own precision."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.routine import Array


def nearest(source: int, target: int, corners: bool, centers: bool) -> Array:
    """Of each target pixel the source pixel: GetNearestNeighbor of reference/resize_nearest_neighbor.h, in float32."""
    pixels = np.arange(target)
    if corners and target > 1:
        scale = np.float32(source - 1) / np.float32(target - 1)
    else:
        scale = np.float32(source) / np.float32(target)
    place = (pixels.astype(np.float32) + np.float32(0.5 if centers else 0.0)) * scale
    # The reference rounds halves away from zero; places are never negative.
    whole = np.floor(place.astype(np.float64) + 0.5) if corners else np.floor(place)
    return np.asarray(np.clip(whole.astype(np.int64), 0, source - 1))


def between(source: int, target: int, corners: bool, centers: bool) -> tuple[Array, Array, Array]:
    """Lower and upper source pixel of each target pixel, and how far it is beyond the lower one, in 1/1024.

    ComputeInterpolationValuesInteger of reference/resize_bilinear.h; C's divisions truncate.
    """
    scale = (1024 * source + target // 2) // target
    if corners and target > 1:
        scale = (1024 * (source - 1) + (target - 1) // 2) // (target - 1)
    place = np.arange(target) * scale + (scale // 2 - 512 if centers else 0)
    lower = np.maximum(np.trunc(place / 1024).astype(np.int64), 0)
    upper = np.minimum(np.trunc((place + 1023) / 1024).astype(np.int64), source - 1)
    return lower, upper, place - 1024 * lower


def between_real(source: int, target: int, corners: bool, centers: bool) -> tuple[Array, Array, Array]:
    """The same in float32: ComputeInterpolationValues."""
    scale = np.float32(source) / np.float32(target)
    if corners and target > 1:
        scale = np.float32(source - 1) / np.float32(target - 1)
    pixels = np.arange(target).astype(np.float32)
    half = np.float32(0.5)
    place = (pixels + half) * scale - half if centers else pixels * scale
    lower = np.maximum(np.floor(place).astype(np.int64), 0)
    upper = np.minimum(np.ceil(place).astype(np.int64), source - 1)
    return lower, upper, (place - lower.astype(np.float32)).astype(np.float32)
