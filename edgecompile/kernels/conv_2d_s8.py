"""CONV_2D int8, weights in pairs of output channels: twin of ``conv_2d_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import pairs
from edgecompile.kernels.convolution import Window, geometry, in_pairs, refuse_convolution, scaling
from edgecompile.kernels.routine import Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D",)
# Output pixels that one pass over the weights serves.
PIXELS = 4


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    weights = site.given(1).array
    assert weights is not None
    if weights.shape[3] != site.given(0).shape[3]:
        return "groups"
    if not pairs.can_pair(weights.reshape(len(weights), -1)):
        return "two weights that do not fit into one int16"
    return None


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of four output pixels as int16, four pixels interleaved."""
    weights = site.given(1).array
    assert weights is not None
    flat = weights.reshape(len(weights), -1)
    window = geometry(site, weights.shape[1], weights.shape[2])
    quantities, constants = scaling(site, flat)
    groups = -(-flat.shape[1] // 4)
    whole = window.in_c % 4 == 0
    call = Call(
        kernel="conv_2d_s8",
        settings={**window.settings(), "groups": groups, **quantities},
        constants={
            "weights": pairs.pair(flat),
            **in_pairs(constants),
            **({"border": np.full(window.in_c, quantities["input_zero_point"], np.int8)} if whole else {}),
        },
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    return Routine(
        calls=(call,),
        scratch_bytes=groups * 4 * PIXELS * 2,
        overlaps=(Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=_distance(window)),),
    )


def _distance(window: Window) -> int:
    """How far below the input the output must begin: after each block, what is written stays below what is unread."""
    count = window.batches * window.out_h * window.out_w
    pixels = np.arange(PIXELS, count, PIXELS)
    # The last three are made as two and one.
    pixels = np.append(pixels, count - 1) if count % PIXELS == 3 else pixels
    written = pixels * window.out_c
    return int(np.max(written - window.first_read(pixels))) if len(pixels) else -window.input_bytes
