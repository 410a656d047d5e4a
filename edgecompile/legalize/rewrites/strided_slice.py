"""Every n-th pixel of an image, taken by a 1x1 maximum with a stride instead of by a slice with one."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator, Tensor
from edgecompile.legalize.rewrites._site import Site, make, rewrite, same_scale

SUMMARY = "STRIDED_SLICE with strides over height and width as SLICE and MAX_POOL_2D 1x1"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``x[:, a::s, b::t, :] = maximum of 1x1 windows of x[:, a:, b:, :] with strides s and t``.

    For slices of 8-bit images that the target refuses, with whole batch and channels and positive strides.
    """
    return rewrite(network, target, _step)


def _step(site: Site) -> tuple[Operator, ...] | None:
    operator, x, y = site.operator, site.input(0), site.result
    if operator.name != "STRIDED_SLICE" or x is None or len(x.shape) != 4 or not same_scale(x, y):
        return None
    begins = _begins(site, x)
    if begins is None or len(y.shape) != 4 or not site.refused:
        return None
    strides = [int(stride) for stride in np.asarray(site.constant(3)).reshape(-1)[1:3]]
    sizes = [(count - 1) * stride + 1 for count, stride in zip(y.shape[1:3], strides, strict=True)]
    source, operators = operator.inputs[0], []
    if (x.shape[1], x.shape[2]) != tuple(sizes) or any(begins):
        shape = (x.shape[0], *sizes, x.shape[3])
        first = site.store("begin", np.asarray((0, *begins, 0), np.int32), "int32")
        extent = site.store("extent", np.asarray(shape, np.int32), "int32")
        source = site.like("slice", x, shape)
        operators.append(make("SLICE", (operator.inputs[0], first, extent), (source,), x.dtype))
    window = {"filter_height": 1, "filter_width": 1, "stride_h": strides[0], "stride_w": strides[1]}
    return *operators, make("MAX_POOL_2D", (source,), operator.outputs, x.dtype, padding="VALID", **window)


def _begins(site: Site, x: Tensor) -> tuple[int, int] | None:
    """The first row and column, where the slice takes all batches and channels and walks forwards."""
    options = site.operator.options
    if any(options.get(name) for name in ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "offset")):
        return None
    begin, strides = site.constant(1), site.constant(3)
    if begin is None or strides is None or begin.size != 4 or site.result.shape[0::3] != x.shape[0::3]:
        return None
    if int(strides.reshape(-1)[0]) != 1 or int(strides.reshape(-1)[3]) != 1 or int(strides.min()) < 1:
        return None
    starts = [0 if options.get("begin_mask", 0) >> axis & 1 else int(begin.reshape(-1)[axis]) for axis in (1, 2)]
    placed = [start + size if start < 0 else start for start, size in zip(starts, x.shape[1:3], strict=True)]
    return (placed[0], placed[1]) if all(0 <= p < size for p, size in zip(placed, x.shape[1:3], strict=True)) else None
