"""Which form a layer's weights take, by the bytes that they are stored in and a small model of instructions.

The model counts a Cortex-M with DSP instructions (a core without them gains about as much or more). It says what the
inner loops of ``pairs_dsp.h``, ``rows_dsp.h`` and ``weight_forms.h`` execute for a step and for a row, as the
compiler makes them; ``scripts/bench weight_forms`` prints it beside what an emulated board counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgecompile.kernels.routine import Array
from edgecompile.kernels.weight_forms import (
    BLOCK,
    BLOCK_SHARED4,
    DENSE,
    FORMS,
    LISTED,
    SHARED2,
    SHARED4,
    blocks_of,
    stored_bytes,
)

SIZE, SPEED, BALANCED = "size", "speed", "balanced"
# Blocks of four pixels whose inputs wait in scratch for a row that is unpacked once, and bytes of scratch for them:
# more blocks, fewer instructions, more RAM.
_MOST_AT_ONCE = {SIZE: 2, SPEED: 4, BALANCED: 4}
_SCRATCH_BYTES = {SIZE: 8192, SPEED: 32768, BALANCED: 16384}
# Instructions: to unpack a step that is there; to multiply it with four pixels; to do both in a dense layer.
_UNPACK = {SHARED4: 6, SHARED2: 7, BLOCK: 11, BLOCK_SHARED4: 12}
_MULTIPLY = {SHARED4: 11, SHARED2: 11, BLOCK: 12, BLOCK_SHARED4: 12}
_ONE_OUTPUT = {SHARED4: 7, SHARED2: 9, BLOCK: 10, BLOCK_SHARED4: 11}
_TABLE = {SHARED4: 900, SHARED2: 80, BLOCK: 0, BLOCK_SHARED4: 900}
# For each row of two output channels: unpacking it, scaling the sums of four pixels, looking at a byte of the map.
_ROW, _SCALE, _MAP = 60, 117, 6
# Gathering an input of four pixels, and finding the pixels.
_GATHER, _FIND = 5, 250
# By how much the code of a kernel for other forms is larger, about: less than that is not worth saving.
CODE_BYTES = 512


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A form with the bytes of its constants and the instructions that the model gives it."""

    form: str
    stored_bytes: int
    instructions: int


def choose(codes: Array, pixels: int, allowed: Sequence[str], goal: str) -> Choice:
    """The form for int8[o, h, w, i] or int8[o, i] weights applied to ``pixels`` positions.

    ``size``: least bytes; ``speed``: fewest instructions; ``balanced``: the least product of both, so that a form may
    cost as much time, relatively, as it saves in bytes; for both, code counts too. Equals: the
    earlier in ``FORMS``. Dense where no allowed form fits.
    """
    found = [choice for form in FORMS if form in allowed if (choice := _choice(codes, pixels, form, goal))]
    choices = found or [choice for choice in (_choice(codes, pixels, DENSE, goal),) if choice]
    orders = {
        SIZE: lambda choice: (_bytes(choice), choice.instructions),
        SPEED: lambda choice: (choice.instructions, choice.stored_bytes),
        BALANCED: lambda choice: (choice.instructions * _bytes(choice), choice.instructions),
    }
    return min(choices, key=orders[goal])


def at_once(steps: int, pixels: int, goal: str, room_bytes: int | None = None) -> int:
    """Blocks of four pixels that one unpacked row of ``steps`` pairs of inputs serves, in so much scratch at most."""
    blocks = -(-pixels // 4)
    room = _SCRATCH_BYTES[goal] if room_bytes is None else room_bytes
    most = min(_MOST_AT_ONCE[goal], max(room // (16 * steps), 1), blocks)
    # As many turns with fewer blocks each take as many instructions and less RAM.
    return -(-blocks // -(-blocks // most))


def instructions(codes: Array, pixels: int, form: str, blocks_at_once: int) -> int:
    """What the model gives a layer in a form; in all but dense its rows serve so many blocks at once."""
    return _dense(codes, pixels) if form == DENSE else _other(codes, pixels, form, blocks_at_once)


def _bytes(choice: Choice) -> int:
    return choice.stored_bytes + (0 if choice.form == DENSE else CODE_BYTES)


def _choice(codes: Array, pixels: int, form: str, goal: str) -> Choice | None:
    size = stored_bytes(codes, form)
    if size is None:
        return None
    count = _dense(codes, pixels) if form == DENSE else _other(codes, pixels, form, None, goal)
    return Choice(form=form, stored_bytes=size, instructions=count)


def _dense(codes: Array, pixels: int) -> int:
    """``pairs_dsp.h``: 12 instructions for two inputs of two channels and four pixels; 17 for four of each."""
    outputs, inputs = len(codes), int(codes[0].size)
    if codes.ndim == 2:
        return pixels * -(-outputs // 4) * (17 * -(-inputs // 4) + 100)
    blocks = -(-pixels // 4)
    return blocks * (-(-outputs // 2) * (24 * -(-inputs // 4) + 127) + _GATHER * inputs + _FIND)


def _other(codes: Array, pixels: int, form: str, blocks_at_once: int | None, goal: str = BALANCED) -> int:
    blocks_there = blocks_of(codes).any(axis=(2, 3))
    rows, steps = len(blocks_there), int(blocks_there.shape[1])
    is_list = form in LISTED
    steps = steps if is_list else -(-int(codes[0].size) // 2)
    there = int(np.count_nonzero(blocks_there)) if is_list else rows * steps
    looks = rows * -(-steps // 8) * _MAP if is_list else 0
    if codes.ndim == 2:
        return _TABLE[form] + pixels * (there * _ONE_OUTPUT[form] + looks + rows * 80 + 8 * steps)
    blocks = -(-pixels // 4)
    turns = -(-blocks // (blocks_at_once or at_once(steps, pixels, goal)))
    unpacking = turns * (there * _UNPACK[form] + looks + rows * _ROW)
    return _TABLE[form] + unpacking + blocks * (there * _MULTIPLY[form] + rows * _SCALE + 2 * _GATHER * steps + _FIND)
