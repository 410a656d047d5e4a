"""Large nearest-neighbour enlargements in doublings, and newer coordinate settings where they change nothing."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.legalize.rewrites._site import Array, Site, make, rewrite, same_scale

SUMMARY = "RESIZE_NEAREST_NEIGHBOR by doublings, with plain coordinates"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``⌊⌊i·a/b⌋·b/c⌋ = ⌊i·a/c⌋``: enlarging by steps of at most two picks the pixels that one large step picks.

    ``half_pixel_centers`` and ``align_corners`` are dropped on the way. For resizes that the target refuses, and
    only where the pixels picked, calculated in float32 as TFLite does, are the same.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, x, y = site.operator, site.input(0), site.result
    if operator.name != "RESIZE_NEAREST_NEIGHBOR" or x is None or not site.refused:
        return None
    if len(x.shape) != 4 or not same_scale(x, y):
        return None
    sizes = _doublings(x, y)
    if not all(_agree(operator, [size[axis] for size in sizes]) for axis in (0, 1)):
        return None
    operators, source = [], operator.inputs[0]
    for position, (height, width) in enumerate(sizes[1:], start=1):
        last = position == len(sizes) - 1
        shape = (x.shape[0], height, width, x.shape[3])
        result = operator.outputs[0] if last else site.like(f"to_{height}x{width}", x, shape)
        wanted = site.store(f"size_{height}x{width}", np.asarray((height, width), np.int32), "int32")
        operators.append(make(operator.name, (source, wanted), (result,), x.dtype))
        source = result
    return tuple(operators)


def _doublings(x: Tensor, y: Tensor) -> list[tuple[int, int]]:
    """Heights and widths from the input's to the output's, none more than twice the one before."""
    sizes = [(x.shape[1], x.shape[2])]
    goal = (y.shape[1], y.shape[2])
    while sizes[-1] != goal or len(sizes) == 1:
        height, width = sizes[-1]
        sizes.append((min(2 * height, goal[0]), min(2 * width, goal[1])))
    return sizes


def _agree(operator: Operator, sizes: list[int]) -> bool:
    align, half = (bool(operator.options.get(name)) for name in ("align_corners", "half_pixel_centers"))
    picked = np.arange(sizes[-1])
    for before, after in zip(sizes[-2::-1], sizes[:0:-1], strict=True):
        picked = _picked(before, after, align=False, half=False)[picked]
    return bool(np.array_equal(picked, _picked(sizes[0], sizes[-1], align=align, half=half)))


def _picked(before: int, after: int, *, align: bool, half: bool) -> Array:
    """The input pixel of each output pixel.

    Source: ``GetNearestNeighbor`` in tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h.
    """
    edges = align and after > 1
    scale = np.float32((before - 1) / (after - 1) if edges else before / after)
    places = (np.arange(after, dtype=np.float32) + np.float32(0.5 if half else 0.0)) * scale
    rounded = np.floor(places + np.float32(0.5)) if align else np.floor(places)
    return np.asarray(np.clip(rounded.astype(np.int64), 0, before - 1))
