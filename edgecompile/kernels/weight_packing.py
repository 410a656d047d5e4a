"""Weights packed as ``weight_forms.h`` unpacks them, and unpacked again."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.routine import Array
from edgecompile.kernels.weight_forms import BLOCK, BLOCK_SHARED4, SHARED2, SHARED4, VALUES, blocks_of, values_of

# What ``weight_forms.h`` calls the forms.
NUMBERS = {SHARED4: 1, SHARED2: 2, BLOCK: 3, BLOCK_SHARED4: 4}


def pack(codes: Array, form: str) -> dict[str, Array]:
    """Constants of int8[o, h, w, i] or int8[o, i] in a form other than dense, which the tensor must be able to take.

    ``weights``: uint8, rows of two output channels one behind the other; ``values``: int8[16] or int8[4];
    ``map``: uint8[rows, ceil(steps / 8)]. Together they have ``stored_bytes`` bytes.
    """
    steps = steps_of(codes, form)
    there = np.ones(steps.shape[:2], bool) if form in (SHARED4, SHARED2) else steps.any(axis=(2, 3))
    packed = {} if form in (SHARED4, SHARED2) else {"map": np.packbits(there, axis=1)}
    chosen = steps[there]
    if form == BLOCK:
        # Bytes 0 and 2 are the even channel's: SXTB16 spreads them at once.
        return {"weights": chosen.transpose(0, 2, 1).reshape(-1).view(np.uint8), **packed}
    values = np.pad(found := values_of(codes, form), (0, VALUES[form] - len(found)))
    # What is missing at the borders is not read: any index is good.
    index = np.minimum(np.searchsorted(found, chosen), len(found) - 1).astype(np.uint8)
    bits = 2 if form == SHARED2 else 4
    two = index[:, :, 0] | index[:, :, 1] << bits
    weights = two[:, 0] | two[:, 1] << 4 if form == SHARED2 else two.reshape(-1)
    return {"weights": weights.astype(np.uint8), "values": values.astype(np.int8), **packed}


def unpack(packed: dict[str, Array], form: str, shape: tuple[int, ...]) -> Array:
    """The codes again; the inverse of :func:`pack`."""
    rows, count = steps_of(np.zeros(shape, np.int8), form).shape[:2]
    there = np.ones((rows, count), bool)
    if "map" in packed:
        there = np.unpackbits(packed["map"], axis=1, count=count).astype(bool)
    steps = np.zeros((rows, count, 2, 2), np.int8)
    steps[there] = _chosen(packed, form)
    inner = shape[-1] if form in (BLOCK, BLOCK_SHARED4) else int(np.prod(shape[1:]))
    flat = steps.transpose(0, 2, 1, 3).reshape(2 * rows, -1, inner + inner % 2)
    return np.ascontiguousarray(flat[: shape[0], :, :inner]).reshape(shape)


def steps_of(codes: Array, form: str) -> Array:
    """int8[row, step, channel, input]: two inputs a step, at one kernel position for the blocks' forms."""
    if form in (BLOCK, BLOCK_SHARED4):
        return blocks_of(codes)
    return blocks_of(codes.reshape(len(codes), -1))


def _chosen(packed: dict[str, Array], form: str) -> Array:
    weights = packed["weights"]
    if form == BLOCK:
        return weights.view(np.int8).reshape(-1, 2, 2).transpose(0, 2, 1)
    bits, mask = (2, 3) if form == SHARED2 else (4, 15)
    two = np.stack([weights & 15, weights >> 4], axis=1) if form == SHARED2 else weights.reshape(-1, 2)
    return np.asarray(packed["values"][np.stack([two & mask, two >> bits], axis=2)])
