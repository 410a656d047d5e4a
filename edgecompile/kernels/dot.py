"""Weights as rows, and what scales their sums, as ``dot.h`` reads them."""

from __future__ import annotations

import numpy as np

from edgecompile.kernels.routine import Array

PIXELS = 4
# Inputs of a pixel that one instruction multiplies.
CHUNK = 16


def chunks_of(row: int) -> int:
    """Chunks that a row of so many inputs begins."""
    return -(-row // CHUNK)


def rows(weights: Array) -> Array:
    """int8[o · k + surplus] of int8[o, k]: as they are, and zeros for what is read beyond the last row."""
    surplus = chunks_of(weights.shape[1]) * CHUNK - weights.shape[1]
    return np.pad(weights.reshape(-1), (0, surplus)).astype(np.int8)


def fives(constants: dict[str, Array]) -> Array:
    """int32[ceil(o / 2), 5] of ``convolution.scaling``'s constants, o > 1; an odd number ends with the last two."""
    count = len(constants["bias"])
    first = np.minimum(np.arange(0, count, 2), count - 2)
    shift = constants["shift"].astype(np.int64) & 0xFF
    columns = [constants[name][first + which] for which in (0, 1) for name in ("bias", "multiplier")]
    return np.asarray(np.stack([*columns, shift[first] | shift[first + 1] << 8], axis=1), np.int32)
