"""One line for what the reference rounds twice: constants with which a layer's outputs take three instructions each.

Where a layer cuts its outputs at the zero point or above it, every output is a rising staircase of its sum: it is the
same function if it steps at the same sums. ``((256 · Σ + offset) · slope + 2^31) / 2^32 + base``, shifted right, is a
staircase with steps on a line; for nearly every channel some whole ``offset`` and ``slope`` put all of its at most
255 steps where the reference has them. That is checked step by step, for all sums that the weights allow: the line is
used only where it is proven equal. Twin of ``lines.h``; ``ec_line`` is in ``rounding.h``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgecompile.kernels.routine import Array

# Sums are taken times 2^8: the odd channels' come like that from paired weights, and offsets are so much finer.
FRACTION = 8
# Of the lines in lines.h, where they are parts of instructions: one that most layers can share, then for steep ones,
# then for flat ones.
SHIFTS = (12, 9, 15)
_LIMIT = 1 << 31
# Offsets tried on both sides of the one that follows from the rounding constants, and whole bases.
_REACH, _BASES = (4, 24), 8
# The furthest shift for which steps fit into 64 bits.
_FURTHEST = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """``offset`` and ``slope``: int32 by channel; ``base`` and ``shift``: of the layer."""

    offset: Array
    slope: Array
    base: int
    shift: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Staircase:
    """A layer's outputs as the reference makes them: ``x = Σ + bias``, scaled by ``multiplier · 2^(shift - 31)``.

    ``lowest_sum`` and ``highest_sum``: int64 by channel, what ``Σ`` can be. Outputs are cut to ``lowest`` and
    ``highest``, plus ``zero_point`` before.
    """

    bias: Array
    multiplier: Array
    shift: Array
    lowest_sum: Array
    highest_sum: Array
    zero_point: int
    lowest: int
    highest: int


def sums_of(weights: Array, lowest_input: int = -128, highest_input: int = 127) -> tuple[Array, Array]:
    """The least and the greatest ``Σ w · x`` of int8[o, k] weights, int64[o]."""
    wide = weights.astype(np.int64)
    rising, falling = np.maximum(wide, 0).sum(axis=1), np.minimum(wide, 0).sum(axis=1)
    return rising * lowest_input + falling * highest_input, rising * highest_input + falling * lowest_input


def fit(stairs: Staircase, shift: int) -> Lines | None:
    """Lines that are equal to the reference for every sum there can be; None where some channel has none.

    ``shift``: of the layer; each channel's own must be at least ``shift - 7`` to the right.
    """
    if stairs.lowest < stairs.zero_point or np.any(stairs.shift >= 0) or np.any(-stairs.shift > _FURTHEST):
        return None
    return next((found for extra in range(_BASES) if (found := _fit(stairs, shift, extra)) is not None), None)


def lines_in_pairs(lines: Lines) -> Array:
    """int32[pairs, 4] as ``lines.h`` reads them; a channel that is missing is 0."""
    odd = len(lines.offset) % 2
    offset, slope = (np.pad(values, (0, odd)).reshape(-1, 2) for values in (lines.offset, lines.slope))
    return np.asarray(np.stack([offset[:, 0], slope[:, 0], slope[:, 1], offset[:, 1]], axis=1), np.int32)


def _fit(stairs: Staircase, shift: int, extra: int) -> Lines | None:
    """The same with a base that is ``extra`` beyond half a step: a base moves what offsets are too coarse for."""
    channels = np.arange(len(stairs.bias))
    offset, slope = np.zeros(len(channels), np.int64), np.zeros(len(channels), np.int64)
    for reach in _REACH:
        if not len(channels):
            break
        found, offsets, slopes = _search(stairs, shift, extra, channels, reach)
        offset[channels[found]], slope[channels[found]] = offsets[found], slopes[found]
        channels = channels[~found]
    if len(channels):
        return None
    base = (stairs.zero_point << shift) + (1 << (shift - 1)) + extra
    return Lines(offset=offset.astype(np.int32), slope=slope.astype(np.int32), base=base, shift=shift)


def _search(stairs: Staircase, shift: int, extra: int, channels: Array, reach: int) -> tuple[Array, Array, Array]:
    """For some channels: which have a line, and its offset and slope."""
    bias, lowest, highest = (a[channels] for a in (stairs.bias, stairs.lowest_sum, stairs.highest_sum))
    bias, values = bias.astype(np.int64), np.arange(stairs.lowest, stairs.highest, dtype=np.int64) + 1
    values = values - stairs.zero_point
    steps = _steps(stairs.multiplier[channels], -stairs.shift[channels].astype(np.int64), values) - bias[:, None]
    steps = np.clip(steps, lowest[:, None], highest[:, None] + 1)
    # What the product must reach at a step, and must not one below it.
    goal = (values << (32 + shift)) - ((((1 << (shift - 1)) + extra) << 32) + (1 << 31))
    offsets = _offsets(stairs, shift, extra, channels)[:, None] + np.arange(-reach, reach + 1)
    at = (steps[:, None, :] << FRACTION) + offsets[:, :, None]
    before = at - (1 << FRACTION)
    reached = steps <= highest[:, None]
    above = reached[:, None, :] & (at > 0)
    least = np.where(above, -(-goal // np.where(above, at, 1)), 0).max(axis=2, initial=0)
    below = (steps > lowest[:, None])[:, None, :] & (before > 0)
    most = np.where(below, (goal - 1) // np.where(below, before, 1), _LIMIT - 1).min(axis=2, initial=_LIMIT - 1)
    possible = (least <= most) & ~np.any(reached[:, None, :] & (at <= 0), axis=2)
    for end in (lowest, highest):
        possible &= np.abs((end[:, None] << FRACTION) + offsets) < _LIMIT - 1
    room = np.where(possible, most - least, -1)
    best = room.argmax(axis=1)
    rows = np.arange(len(channels))
    return room[rows, best] >= 0, offsets[rows, best], ((least + most) // 2)[rows, best]


def _steps(multiplier: Array, right: Array, values: Array) -> Array:
    """The least ``x`` that the reference scales to each value or more, int64[channel, value]; values above 0.

    It rounds ``x · m / 2^31`` to a whole number, halves upwards, then that by ``2^right``: halves upwards too, for it
    is not negative here.
    """
    whole = (values << right[:, None]) - (1 << (right[:, None] - 1))
    return np.asarray(-(-((whole << 31) - (1 << 30)) // np.maximum(multiplier.astype(np.int64), 1)[:, None]))


def _offsets(stairs: Staircase, shift: int, extra: int, channels: Array) -> Array:
    """The offset with which the line passes where the reference's two roundings do in the middle, int64."""
    right, multiplier = -stairs.shift[channels].astype(float), np.maximum(stairs.multiplier[channels], 1).astype(float)
    # In parts of an output; the reference rounds up half of an output, and half of its first result.
    missing = 2.0 ** -(right + 1) - (extra + 0.5) * 2.0**-shift
    whole = np.round(missing * 2.0 ** (31 + FRACTION + right) / multiplier).astype(np.int64)
    return np.asarray((stairs.bias[channels].astype(np.int64) << FRACTION) + whole)
