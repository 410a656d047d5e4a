"""The codes and scales of one weight tensor: w ≈ scale[channel] · code, the codes few or of few bits.

The codes begin with the nearest values, then take turns with scales and values: columns (``columns.py``), scales and
values each go to their least-squares optimum for the others, so the layer's output error only falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.oneshot import columns
from edgecompile.compress.oneshot.codebook import nearest, shared

Array = np.ndarray[Any, Any]
LARGEST = 127
_ROUNDS = 6
# Multiply-adds that a least-squares fit of the values may take; above, it looks at some of the rows.
_WORK = 4e9
# Numbers in one array of that fit.
_ROOM = 4_000_000
_SHRINKS = np.linspace(0.4, 1.0, 25)


@dataclass(frozen=True, kw_only=True)
class Form:
    """What codes a tensor may have: at most ``centroids`` different ones (0: any) of ``bits`` bits, not -2^(bits-1).

    ``per_row``: a scale for each output channel, else one for the tensor. ``keep_zero``: 0 is among the codes.
    """

    centroids: int = 0
    bits: int = 8
    init: str = "density"
    keep_zero: bool = True
    per_row: bool = True
    seed: int = 0

    @property
    def limit(self) -> int:
        """The largest code."""
        return int(2 ** (self.bits - 1) - 1)


def fit(weights: Array, hessian: Array, zeros: Array, form: Form) -> tuple[Array, Array]:
    """int8 codes [groups, rows, columns] and float32 scales [groups, rows] whose product is near in outputs.

    ``weights`` are wanted, ``zeros`` (bool) is where the code must be 0; ``hessian`` is damped.
    """
    if form.centroids == 0:
        book = np.arange(-form.limit, form.limit + 1, dtype=np.float64)
        scales = _shrunk(weights, hessian, book, form)
        values = columns.sweep(weights, hessian, _allowed(book, scales, zeros))
        return _finish(weights, hessian, zeros, values, scales, book, form)
    scales = _spreads(weights, zeros, form)
    book = _first_book(weights, hessian, zeros, scales, form)
    values = columns.sweep(weights, hessian, _allowed(book, scales, zeros))
    for _ in range(_ROUNDS):
        book = _refit_book(weights, hessian, values, scales, book)
        scales = _refit_scales(weights, hessian, _codes(values, scales, book, zeros), scales, form)
        values = columns.polish(weights, values, hessian, _allowed(book, scales, zeros))
    peak = np.abs(book).max()
    whole = np.unique(np.rint(book / peak * form.limit))
    return _finish(weights, hessian, zeros, values, scales * peak / form.limit, whole, form)


def prune(weights: Array, hessian: Array, zeros: Array) -> Array:
    """Float weights with those zeros and the others made up for them: OBS for all of a row's zeros at once."""

    def kept(wished: Array, at: Array) -> Array:
        return np.where(_at(zeros, at), 0.0, wished)

    values = columns.sweep(weights, hessian, kept)
    for _ in range(_ROUNDS):
        values = columns.polish(weights, values, hessian, kept)
    return values


def _finish(
    weights: Array, hessian: Array, zeros: Array, values: Array, scales: Array, book: Array, form: Form
) -> tuple[Array, Array]:
    """Whole-number values are settled: now only codes and scales move."""
    for _ in range(_ROUNDS):
        scales = _refit_scales(weights, hessian, _codes(values, scales, book, zeros), scales, form)
        values = columns.polish(weights, values, hessian, _allowed(book, scales, zeros))
    codes = _codes(values, scales, book, zeros)
    scales = _refit_scales(weights, hessian, codes, scales, form)
    return codes.astype(np.int8), scales.astype(np.float32)


def _allowed(book: Array, scales: Array, zeros: Array) -> Callable[[Array, Array], Array]:
    def assign(wished: Array, at: Array) -> Array:
        picked = book[nearest(wished / scales, book)] * scales
        return np.where(_at(zeros, at), 0.0, picked)

    return assign


def _at(zeros: Array, at: Array) -> Array:
    return zeros[np.arange(len(zeros)), :, at]


def _codes(values: Array, scales: Array, book: Array, zeros: Array) -> Array:
    return np.where(zeros, 0.0, book[nearest(values / scales[:, :, None], book)])


def _spreads(weights: Array, zeros: Array, form: Form) -> Array:
    """Root mean squares: rows of unlike size come to one distribution, which one codebook then serves."""
    axis = 2 if form.per_row else (0, 1, 2)
    squares = np.where(zeros, 0.0, weights**2).sum(axis=axis, keepdims=True)
    counts = np.maximum((~zeros).sum(axis=axis, keepdims=True), 1)
    found = np.broadcast_to(np.sqrt(squares / counts)[..., 0], weights.shape[:2])
    return np.where(found > 0, found, 1.0)


def _shrunk(weights: Array, hessian: Array, book: Array, form: Form) -> Array:
    """The clipping that costs least in the weighted square: a grid of few codes gains by cutting its tails."""
    importance = np.diagonal(hessian, axis1=-2, axis2=-1)[:, None, :]
    axis = 2 if form.per_row else (0, 1, 2)
    peaks = np.broadcast_to(np.abs(weights).max(axis=axis, keepdims=True), (*weights.shape[:2], 1))
    best, least = peaks, np.full(peaks.shape, np.inf)
    for shrink in _SHRINKS:
        scales = np.where(peaks > 0, peaks * shrink / form.limit, 1.0)
        off = np.clip(np.rint(weights / scales), -form.limit, form.limit) * scales - weights
        cost = np.broadcast_to((importance * off**2).sum(axis=axis, keepdims=True), peaks.shape)
        best, least = np.where(cost < least, scales, best), np.minimum(cost, least)
    return best[..., 0].copy()


def _first_book(weights: Array, hessian: Array, zeros: Array, scales: Array, form: Form) -> Array:
    importance = np.diagonal(hessian, axis1=-2, axis2=-1)[:, None, :] * (scales**2)[:, :, None]
    kept = ~zeros
    keep_zero = form.keep_zero or bool(zeros.any())
    points = (weights / scales[:, :, None])[kept]
    book = shared(points, importance[kept], form.centroids, form.init, keep_zero, form.seed)
    return book if np.any(book) else np.array([0.0, 1.0])


def _refit_scales(weights: Array, hessian: Array, codes: Array, scales: Array, form: Form) -> Array:
    """s = (c H wᵀ) / (c H cᵀ), for each row or for all together; a row without codes keeps its own."""
    turned = codes @ hessian
    above = np.einsum("grk,grk->gr", turned, weights)
    below = np.einsum("grk,grk->gr", turned, codes)
    if not form.per_row:
        above, below = (np.full(scales.shape, part.sum()) for part in (above, below))
    return np.where((below > 0) & (above > 0), above / np.where(below > 0, below, 1.0), scales)


def _refit_book(weights: Array, hessian: Array, values: Array, scales: Array, book: Array) -> Array:
    """Least Σ over rows of (s·A·book - w) H (s·A·book - w)ᵀ, A the one-hot codes; a value at 0 stays there."""
    groups, rows, size = values.shape
    step = max(1, round(groups * rows * size * size * len(book) / _WORK))
    many = max(1, _ROOM // (size * len(book)))
    left, right = np.zeros((len(book), len(book))), np.zeros(len(book))
    where = nearest(values / scales[:, :, None], book)
    for group, row in ((g, r) for g in range(0, groups, many) for r in range(0, rows, step)):
        some = slice(group, group + many)
        chosen = (where[some, row, :, None] == np.arange(len(book))) * scales[some, row, None, None]
        turned = chosen.transpose(0, 2, 1) @ hessian[some]
        left += np.einsum("gnk,gkm->nm", turned, chosen)
        right += np.einsum("gnk,gk->n", turned, weights[some, row])
    free = np.flatnonzero(book != 0)
    ridge = 1e-6 * max(np.trace(left), 1e-12) / len(book)
    fresh = book.copy()
    fresh[free] = np.linalg.solve(
        left[np.ix_(free, free)] + ridge * np.eye(len(free)), right[free] + ridge * book[free]
    )
    return np.sort(fresh)
