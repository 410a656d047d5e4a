"""CONV_2D int8, weights as rows, for cores with Helium: twin of ``conv_2d_dot_s8.h``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.core.target import HELIUM
from edgecompile.kernels import dot
from edgecompile.kernels.conv_2d_1x1_s8 import pixels_overlap
from edgecompile.kernels.conv_2d_s8 import distance
from edgecompile.kernels.convolution import Window, filters, geometry, refuse_plain, scaling
from edgecompile.kernels.routine import Array, Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# Before the kernels for other cores.
RANK = -2
# Places of two channels of four pixels are 16-bit numbers.
_MOST_CHANNELS = 16_000
# What gathers of bytes and of halfwords reach.
_NEAR, _FAR = 255, 65_535


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.kernels != HELIUM:
        return "a core without Helium"
    reason = refuse_plain(site)
    if reason is not None:
        return reason
    if not 2 <= site.output.shape[3] <= _MOST_CHANNELS:
        return "a single channel, or very many"
    _, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    reach = kernel_h * window.dilation_h * window.in_w * window.in_c + kernel_w * window.dilation_w * window.in_c
    return None if reach <= _FAR else "a window that reaches very far"


def _places(window: Window) -> dict[str, Array]:
    """Where the inputs of a window lie from its corner, for those that are not whole chunks."""
    if window.in_c % dot.CHUNK == 0 or window.kernel_h * window.kernel_w == 1:
        return {}
    y, x, c = np.ogrid[: window.kernel_h, : window.kernel_w, : window.in_c]
    places = ((y * window.dilation_h * window.in_w + x * window.dilation_w) * window.in_c + c).reshape(-1)
    places = np.pad(places, (0, -len(places) % dot.CHUNK))
    near = bool(places.max() <= _NEAR)
    return {"near": places.astype(np.uint8)} if near else {"far": places.astype(np.uint16)}


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of four output pixels, sixteen of each in turn, and those of one in a row."""
    weights, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    quantities, constants = scaling(site, weights, paired=False)
    is_pointwise = (kernel_h, kernel_w, window.stride_h, window.stride_w) == (1, 1, 1, 1)
    window = one_row(window) if is_pointwise else window
    is_backward = is_pointwise and window.out_c > window.in_c
    chunks = dot.chunks_of(weights.shape[1])
    call = Call(
        kernel="conv_2d_dot_s8",
        settings={**window.settings(), "is_backward": int(is_backward), "chunks": chunks, **quantities},
        constants={"weights": dot.rows(weights), "pairs": dot.fives(constants), **_places(window)},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    in_a_row = kernel_h * kernel_w > 1 and window.in_c % dot.CHUNK != 0
    scratch_bytes = chunks * dot.CHUNK * dot.PIXELS + (chunks * dot.CHUNK + dot.CHUNK if in_a_row else 0)
    return Routine(
        calls=(call,),
        scratch_bytes=scratch_bytes,
        overlaps=(_overlap(site, window, is_pointwise),),
    )


def _overlap(site: Site, window: Window, is_pointwise: bool) -> Overlap:
    if is_pointwise:
        return pixels_overlap(site, window.out_w, window.in_c, window.out_c)
    return Overlap(over=site.operator.outputs[0], under=site.operator.inputs[0], distance=distance(window))


def one_row(window: Window) -> Window:
    """A pointwise convolution's pixels as those of one image of one row."""
    pixels = window.batches * window.out_h * window.out_w
    one = replace(window, batches=1, in_h=1, out_h=1, in_w=pixels, out_w=pixels)
    return replace(one, dilation_h=1, dilation_w=1, pad_top=0, pad_left=0)
