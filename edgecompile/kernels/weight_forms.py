"""The forms in which C kernels store int8 weights, found from the constants alone, and how many bytes each takes.

Weights are int8[o, h, w, i] (CONV_2D) or int8[o, i] (FULLY_CONNECTED). Output channels lie in pairs, an odd one
beside a channel that nobody reads. Every form gives back the very codes of the file.

``dense``: a byte a weight, padded as the kernels for pairs want it (``pairs.py``).
``shared4``, ``shared2``: indices of 4 or 2 bits into the tensor's 16 or 4 values, two inputs of a channel together.
``block2x2``: only those blocks of two output and two input channels, at one kernel position, that are not all zero,
and a bit for each block that says whether it is there. ``block2x2_shared4``: the same with indices of 4 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgecompile.core.target import WEIGHT_FORMS
from edgecompile.kernels import pairs
from edgecompile.kernels.routine import Array

FORMS = WEIGHT_FORMS
DENSE, SHARED4, SHARED2, BLOCK, BLOCK_SHARED4 = FORMS
# Those that store a list of the blocks which are there.
LISTED = (BLOCK, BLOCK_SHARED4)
# Values that indices can name.
VALUES = {SHARED4: 16, SHARED2: 4, BLOCK_SHARED4: 16}


def stored_bytes(codes: Array, form: str) -> int | None:
    """Bytes of the constants that hold the weights: indices, values, map; biases and scales are not counted.

    None: the tensor cannot take this form. Raises ValueError for a form that is not one of ``FORMS``.
    """
    if form not in FORMS:
        raise ValueError(f"`{form}` is not one of {', '.join(FORMS)}")
    if form == DENSE:
        return _dense_bytes(codes)
    blocks = blocks_of(codes)
    there = blocks.any(axis=(2, 3))
    if form in VALUES and len(values_of(codes, form)) > VALUES[form]:
        return None
    if form in (BLOCK, BLOCK_SHARED4) and not there.any():
        return None  # C has no empty arrays; the shared forms take it
    if form in (SHARED4, SHARED2):
        steps = -(-codes[0].size // 2)
        return int(len(blocks) * steps * (2 if form == SHARED4 else 1) + VALUES[form])
    positions = len(blocks) * -(-blocks.shape[1] // 8)
    stored = int(np.count_nonzero(there))
    return positions + (4 * stored if form == BLOCK else 2 * stored + VALUES[form])


def best_form(codes: Array, allowed: Sequence[str]) -> tuple[str, int]:
    """The form among ``allowed`` that takes least bytes, the first of equals, and these bytes; dense if none fits."""
    sizes = [(size, form) for form in allowed if (size := stored_bytes(codes, form)) is not None]
    if not sizes:
        return DENSE, _dense_bytes(codes)
    least = min(size for size, _ in sizes)
    return next(form for size, form in sizes if size == least), least


def values_of(codes: Array, form: str) -> Array:
    """The distinct values that indices of a form must name, ascending; those in blocks that are all 0 do not count."""
    if form == BLOCK_SHARED4:
        codes = _inside(codes)[blocks_of(codes).any(axis=(2, 3))]
    return np.asarray(np.unique(codes))


def blocks_of(codes: Array) -> Array:
    """int8[ceil(o / 2), h * w * ceil(i / 2), 2, 2]: blocks (output channel, input channel); what is missing is 0."""
    flat = codes.reshape(len(codes), -1, codes.shape[-1])
    flat = np.pad(flat, ((0, len(flat) % 2), (0, 0), (0, flat.shape[2] % 2)))
    halves = flat.reshape(len(flat) // 2, 2, flat.shape[1] * flat.shape[2] // 2, 2)
    return np.ascontiguousarray(halves.transpose(0, 2, 1, 3))


def _inside(codes: Array) -> Array:
    """``blocks_of`` with what is missing filled by a weight of the same block, so that it adds no value."""
    flat = codes.reshape(len(codes), -1, codes.shape[-1])
    flat = np.pad(flat, ((0, len(flat) % 2), (0, 0), (0, flat.shape[2] % 2)), mode="edge")
    halves = flat.reshape(len(flat) // 2, 2, flat.shape[1] * flat.shape[2] // 2, 2)
    return np.ascontiguousarray(halves.transpose(0, 2, 1, 3))


def _dense_bytes(codes: Array) -> int:
    flat = codes.reshape(len(codes), -1)
    outputs, inputs = flat.shape
    if not pairs.can_pair(flat):
        return outputs * inputs
    together = 4 if codes.ndim == 2 else 2
    return -(-outputs // together) * together * -(-inputs // 4) * 4
