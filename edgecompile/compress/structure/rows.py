"""What an operator multiplies its weights with, as rows: patches of images, or vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.ir.network import Operator

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def rows_of(x: Array, operator: Operator, weights_shape: tuple[int, ...], limit: int, seed: int = 0) -> Array:
    """``float64[rows, columns]`` so that outputs are ``rows @ weights.reshape(o, -1).T``, at most ``limit`` rows.

    ``x``: samples first, ``[n, h, w, c]`` for CONV_2D ([o, h, w, c] weights, without groups), ``[n, ...]`` for
    FULLY_CONNECTED. Rows are drawn by ``seed`` from the places alone: the same ones for another x of that size.
    """
    if operator.name == "FULLY_CONNECTED":
        flat = x.reshape(-1, weights_shape[1])
        return flat[_drawn(len(flat), limit, seed)].astype(np.float64)
    _, high, wide, channels = weights_shape
    steps = (operator.options["stride_h"], operator.options["stride_w"])
    gaps = (operator.options["dilation_h_factor"] or 1, operator.options["dilation_w_factor"] or 1)
    padded, counts = _padded(x, (high, wide), steps, gaps, operator.options["padding"])
    places = _drawn(len(x) * counts[0] * counts[1], limit, seed)
    n, row, column = np.unravel_index(places, (len(x), *counts))
    rows = np.empty((len(places), high, wide, channels))
    for i in range(high):
        for j in range(wide):
            rows[:, i, j] = padded[n, row * steps[0] + i * gaps[0], column * steps[1] + j * gaps[1]]
    return rows.reshape(len(places), -1)


def _padded(x: Array, size: Pair, steps: Pair, gaps: Pair, padding: str) -> tuple[Array, Pair]:
    """x with the zeros that TFLite puts around it, and the number of outputs on both axes."""
    margins, counts = [(0, 0)], []
    for axis in range(2):
        length, reach = x.shape[1 + axis], (size[axis] - 1) * gaps[axis] + 1
        count = -(-length // steps[axis]) if padding == "SAME" else -(-(length - reach + 1) // steps[axis])
        lacking = max((count - 1) * steps[axis] + reach - length, 0) if padding == "SAME" else 0
        margins.append((lacking // 2, lacking - lacking // 2))
        counts.append(count)
    return np.pad(x, [*margins, (0, 0)]), (counts[0], counts[1])


def _drawn(count: int, limit: int, seed: int) -> Array:
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))
