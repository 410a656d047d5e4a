"""CONV_2D int8, weights in pairs of output channels: twin of ``conv_2d_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import pairs
from edgecompile.kernels.convolution import Window, filters, geometry, refuse_plain, scaled_in_pairs, scaling
from edgecompile.kernels.routine import Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# Before the kernel for planes of one channel.
RANK = -1
# Output pixels that one pass over the weights serves.
PIXELS = 4


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_plain(site)
    if reason is not None:
        return reason
    return None if pairs.can_pair(filters(site)[0]) else "two weights that do not fit into one int16"


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of four output pixels as int16, four pixels interleaved."""
    flat, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    quantities, constants = scaling(site, flat)
    groups = -(-flat.shape[1] // 4)
    lines, scaled = scaled_in_pairs(flat, quantities, constants)
    whole = window.in_c % 4 == 0
    call = Call(
        kernel="conv_2d_s8",
        settings={
            **window.settings(),
            "groups": groups,
            **lines,
            **quantities,
        },
        constants={
            "weights": pairs.pair(flat),
            **scaled,
            **({"border": np.full(window.in_c, quantities["input_zero_point"], np.int8)} if whole else {}),
        },
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    return Routine(
        calls=(call,),
        scratch_bytes=groups * 4 * PIXELS * 2,
        overlaps=(Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=distance(window)),),
    )


def distance(window: Window) -> int:
    """How far below the input the output must begin: after each block, what is written stays below what is unread."""
    count = window.batches * window.out_h * window.out_w
    pixels = np.arange(PIXELS, count, PIXELS)
    # The last three are made as two and one.
    pixels = np.append(pixels, count - 1) if count % PIXELS == 3 else pixels
    written = pixels * window.out_c
    return int(np.max(written - window.first_read(pixels))) if len(pixels) else -window.input_bytes
