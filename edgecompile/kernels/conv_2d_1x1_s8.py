"""CONV_2D int8 of 1x1 and stride 1, weights in pairs of output channels: twin of ``conv_2d_1x1_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import pairs
from edgecompile.kernels.convolution import filters, geometry, refuse_plain, scaled_in_pairs, scaling
from edgecompile.kernels.routine import Array, Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D",)
# Beside the kernel for windows of any size, and before it by name.
RANK = -1
PIXELS = 4


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_plain(site)
    if reason is not None:
        return reason
    weights, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    if (kernel_h, kernel_w, window.stride_h, window.stride_w) != (1, 1, 1, 1):
        return "a window of more than a pixel, or strides"
    return None if pairs.can_pair(weights) else "two weights that do not fit into one int16"


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of four pixels as int16, four pixels interleaved."""
    weights, _, _ = filters(site)
    out_c, in_c = weights.shape
    pixels = site.output.elements // out_c
    settings, constants = scaling(site, weights)
    lines, scaled = scaled_in_pairs(weights, settings, constants)
    is_backward = out_c > in_c
    call = Call(
        kernel="conv_2d_1x1_s8",
        settings={
            "pixels": pixels,
            "in_c": in_c,
            "out_c": out_c,
            "is_backward": int(is_backward),
            **lines,
            **{name: settings[name] for name in ("output_zero_point", "lowest", "highest", "is_plain", "rounding")},
        },
        constants={"weights": pairs.pair(weights), **scaled},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
        specialized=False,
    )
    groups = -(-in_c // 4)
    return Routine(
        calls=(call,),
        scratch_bytes=groups * 4 * PIXELS * 2,
        overlaps=(pixels_overlap(site, pixels, in_c, out_c),),
    )


def pixels_overlap(site: Site, pixels: int, in_c: int, out_c: int) -> Overlap:
    """Pixels in blocks, backwards where there are more channels out than in.

    Each block is read whole before it is written; what is not yet read lies on one side of it.
    """
    source, output, begins = site.operator.inputs[0], site.operator.outputs[0], _begins(pixels)
    if out_c > in_c:
        # Unread are the pixels below the block.
        distance = int(np.max(begins * (in_c - out_c))) if len(begins) else -pixels * out_c
        return Overlap(over=source, under=output, distance=distance)
    distance = int(np.max(begins * (out_c - in_c))) if len(begins) else -pixels * in_c
    return Overlap(over=output, under=source, distance=distance)


def _begins(pixels: int) -> Array:
    """The first pixel of each block but the first one: where what is written ends, or begins."""
    whole, rest = divmod(pixels, PIXELS)
    blocks = [*range(0, whole * PIXELS, PIXELS), *range(whole * PIXELS, whole * PIXELS + rest, 2)]
    return np.array(blocks[1:], dtype=np.int64)
