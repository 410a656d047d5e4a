"""DEPTHWISE_CONV_2D int8, one channel's plane at a time: twin of ``depthwise_conv_2d_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.core.target import HELIUM
from edgecompile.kernels.convolution import Window, geometry, on_lines, refuse_convolution, scaling
from edgecompile.kernels.routine import Call, Overlap, Routine, Site

OPERATORS = ("DEPTHWISE_CONV_2D",)


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_convolution(site)
    if reason is not None:
        return reason
    channels, inputs = site.output.shape[3], site.given(0).shape[3]
    return "an output depth that is no multiple of the input's" if channels % inputs else None


def routine(site: Site) -> Routine:
    """One call; a whole plane where it can then stay in place, else the input rows of one output row."""
    weights = site.given(1).array
    assert weights is not None
    channels = weights.shape[3]
    flat = weights.reshape(-1, channels).T
    window = geometry(site, weights.shape[1], weights.shape[2])
    same = (window.in_h, window.in_w, window.in_c) == (window.out_h, window.out_w, window.out_c)
    rows_at_once = window.out_h if same else 1
    strip_h = (rows_at_once - 1) * window.stride_h + (window.kernel_h - 1) * window.dilation_h + 1
    strip_w = max(window.pad_left + window.in_w, (window.out_w - 1) * window.stride_w + _reach(window))
    quantities, constants = scaling(site, flat)
    # Helium rounds twice in as many instructions.
    straight = None if site.kernels == HELIUM else on_lines(flat, quantities, constants)
    if straight:
        constants = {"lines": np.stack([straight.offset, straight.slope], axis=1).astype(np.int32)}
    call = Call(
        kernel="depthwise_conv_2d_s8",
        settings={
            **window.settings(),
            "rows_at_once": rows_at_once,
            "strip_h": strip_h,
            "strip_w": strip_w + strip_w % 2,
            "line_shift": straight.shift if straight else 0,
            "base": straight.base if straight else 0,
            **quantities,
        },
        constants={"weights": np.ascontiguousarray(flat.astype(np.int8)), **constants},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    pair = (site.operator.outputs[0], site.operator.inputs[0])
    strip, pairs = strip_h * (strip_w + strip_w % 2), _pairs_bytes(window, bool(quantities["is_plain"]))
    return Routine(
        calls=(call,),
        # With Helium elements have one byte, but up to sixteen behind the last row are read.
        scratch_bytes=max(strip * 2 + pairs, strip + 20 if site.kernels == HELIUM else 0),
        in_place=(pair,) if same else (),
        overlaps=() if same else (Overlap(over=pair[0], under=pair[1], distance=_distance(window)),),
    )


def _pairs_bytes(window: Window, is_plain: bool) -> int:
    """Of weights in pairs (``depthwise_any_dsp.h``); 3x3 has them in registers."""
    is_nine = (window.kernel_h, window.kernel_w, window.dilation_h, window.dilation_w) == (3, 3, 1, 1)
    if window.kernel_w == 1 or window.dilation_w > 1 or (is_nine and is_plain and window.stride_w <= 2):
        return 0
    return window.kernel_h * -(-window.kernel_w // 2) * 4


def _reach(window: Window) -> int:
    return (window.kernel_w - 1) * window.dilation_w + 1


def _distance(window: Window) -> int:
    """All channels of an output row are written while its input rows are read; rows above them are done with."""
    rows = np.arange(window.batches * window.out_h)
    written = (rows + 1) * window.out_w * window.out_c
    return int(np.max(written - window.first_read(rows * window.out_w)))
