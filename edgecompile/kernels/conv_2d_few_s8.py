"""CONV_2D int8 of few input channels, two pixels and four output channels at a time: twin of ``conv_2d_few_s8.h``."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels import pairs
from edgecompile.kernels.convolution import Window, filters, geometry, on_lines, refuse_plain, scaling
from edgecompile.kernels.lines import Lines
from edgecompile.kernels.routine import Array, Call, Overlap, Routine, Site

OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# Before the kernel for channels in fours and that for planes of one channel.
RANK = -1
# Output pixels that one pass over the weights serves.
PIXELS = 2
# int16 that two pixels and a group of four inputs take.
_GROUP = 8


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    reason = refuse_plain(site)
    if reason is not None:
        return reason
    if site.given(0).shape[3] % 4 == 0:
        return "input channels in fours"
    return None if pairs.can_pair(filters(site)[0]) else "two weights that do not fit into one int16"


def routine(site: Site) -> Routine:
    """One call; scratch holds the inputs of two output pixels as int16."""
    flat, kernel_h, kernel_w = filters(site)
    window = geometry(site, kernel_h, kernel_w)
    quantities, constants = scaling(site, flat)
    straight = on_lines(flat, quantities, constants)
    is_whole_row = window.dilation_w == 1
    run = window.in_c * (kernel_w if is_whole_row else 1)
    groups = -(-flat.shape[1] // 4)
    call = Call(
        kernel="conv_2d_few_s8",
        settings={
            **window.settings(),
            "run": run,
            "runs_w": 1 if is_whole_row else kernel_w,
            "groups": groups,
            "line_shift": straight.shift if straight else 0,
            "base": straight.base if straight else 0,
            **quantities,
        },
        constants={
            "weights": fours(flat[:, order(flat.shape[1], run)]),
            **({"lines": lines(straight)} if straight else {"quads": quads(constants)}),
        },
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
        scratch=True,
    )
    pair = (site.operator.outputs[0], site.operator.inputs[0])
    return Routine(
        calls=(call,),
        scratch_bytes=groups * _GROUP * 2,
        overlaps=(Overlap(over=pair[0], under=pair[1], distance=_distance(window)),),
    )


def order(inputs: int, run: int) -> Array:
    """Inputs as they are gathered: what is in whole fours of each run, then what the runs have left."""
    runs = np.arange(inputs).reshape(-1, run)
    whole = run // 4 * 4
    return np.concatenate([runs[:, :whole].reshape(-1), runs[:, whole:].reshape(-1)])


def fours(weights: Array) -> Array:
    """int16[ceil(o / 4), groups, 2, 2, 2] of int8[o, k]: what four channels need of two inputs lies together."""
    both = pairs.pair(weights)
    both = np.pad(both, ((0, len(both) % 2), (0, 0)))
    return np.ascontiguousarray(both.reshape(len(both) // 2, 2, -1, 2, 2).transpose(0, 2, 3, 1, 4))


def quads(constants: dict[str, Array]) -> Array:
    """int32[ceil(o / 4), 9] of ``convolution.scaling``'s constants: biases, multipliers, shifts to the right."""
    missing = -len(constants["bias"]) % 4
    bias, multiplier, shift = (
        np.pad(constants[name], (0, missing)).astype(np.int64).reshape(-1, 4)
        for name in ("bias", "multiplier", "shift")
    )
    shifts = ((-shift & 0xFF) << np.array([0, 8, 16, 24])).sum(axis=1, keepdims=True)
    return np.asarray(np.concatenate([bias[:, [0, 2, 1, 3]], multiplier, shifts.astype(np.int32)], axis=1), np.int32)


def lines(straight: Lines) -> Array:
    """int32[ceil(o / 4), 8]: offsets of channels 1, 3, 0, 2 and slopes."""
    missing = -len(straight.offset) % 4
    offset, slope = (np.pad(values, (0, missing)).reshape(-1, 4) for values in (straight.offset, straight.slope))
    return np.asarray(np.concatenate([offset[:, [1, 3, 0, 2]], slope], axis=1), np.int32)


def _distance(window: Window) -> int:
    """How far below the input the output must begin: after each block, what is written stays below what is unread."""
    pixels = np.arange(PIXELS, window.batches * window.out_h * window.out_w, PIXELS)
    written = pixels * window.out_c
    return int(np.max(written - window.first_read(pixels))) if len(pixels) else -window.input_bytes
