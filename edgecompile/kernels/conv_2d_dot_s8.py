"""CONV_2D int8, weights as rows, for cores with Helium: twin of ``conv_2d_dot_s8.h``."""

from __future__ import annotations

from edgecompile.core.target import HELIUM
from edgecompile.kernels import dot
from edgecompile.kernels.conv_2d_s8 import distance
from edgecompile.kernels.convolution import filters, geometry, refuse_plain, scaling
from edgecompile.kernels.routine import Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# Before the kernels for other cores.
RANK = -2
# Places of two channels of four pixels are 16-bit numbers.
_MOST_CHANNELS = 16_000


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.kernels != HELIUM:
        return "a core without Helium"
    reason = refuse_plain(site)
    if reason is not None:
        return reason
    return None if 2 <= site.output.shape[3] <= _MOST_CHANNELS else "a single channel, or very many"


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of four output pixels, sixteen of each in turn, and those of one in a row."""
    weights, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    quantities, constants = scaling(site, weights, paired=False)
    chunks = dot.chunks_of(weights.shape[1])
    call = Call(
        kernel="conv_2d_dot_s8",
        settings={**window.settings(), "chunks": chunks, **quantities},
        constants={"weights": dot.rows(weights), "pairs": dot.fives(constants)},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    in_a_row = kernel_h * kernel_w > 1 and window.in_c % dot.CHUNK != 0
    scratch_bytes = chunks * dot.CHUNK * dot.PIXELS + (chunks * dot.CHUNK + dot.CHUNK if in_a_row else 0)
    pair = (site.operator.outputs[0], site.operator.inputs[0])
    return Routine(
        calls=(call,),
        scratch_bytes=scratch_bytes,
        overlaps=(Overlap(over=pair[0], under=pair[1], distance=distance(window)),),
    )
