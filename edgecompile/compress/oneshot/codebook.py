"""Values that weights share: weighted k-means on a line, and the ways to begin it.

Lloyd, "Least squares quantization in PCM", 1982; k-means++: Arthur and Vassilvitskii, 2007; density and linear: Han,
Mao and Dally, "Deep Compression", 2016, section 3.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
INITS = ("density", "linear", "kmeans++")
_ROUNDS = 50


def nearest(values: Array, book: Array) -> Array:
    """For each value the index of the nearest of ``book``, which rises."""
    return np.searchsorted((book[1:] + book[:-1]) / 2, values)


def shared(points: Array, weights: Array, count: int, init: str, keep_zero: bool, seed: int) -> Array:
    """At most ``count`` rising values for ``points`` [n] such that Σ weights·(point - value)² is small.

    ``keep_zero``: one of them is exactly 0. Fewer come back where the points have fewer distinct values.
    """
    distinct, where = np.unique(points, return_inverse=True)
    mass = np.bincount(where.reshape(-1), weights=weights.reshape(-1)) + 1e-30
    if keep_zero and 0.0 not in distinct:
        place = int(np.searchsorted(distinct, 0.0))
        distinct, mass = np.insert(distinct, place, 0.0), np.insert(mass, place, 0.0)
    if len(distinct) <= count:
        return distinct
    return _lloyd(distinct, mass, _begin(distinct, mass, count, init, keep_zero, seed), keep_zero)


def _begin(points: Array, mass: Array, count: int, init: str, keep_zero: bool, seed: int) -> Array:
    free = count - 1 if keep_zero else count
    if init == "linear":
        book: Array = np.linspace(points[0], points[-1], free)
    elif init == "density":
        share = np.cumsum(mass) / mass.sum()
        book = points[np.minimum(np.searchsorted(share, (np.arange(free) + 0.5) / free), len(points) - 1)]
    else:
        book = _plus_plus(points, mass, free, keep_zero, seed)
    return np.unique(np.append(book, 0.0)) if keep_zero else np.unique(book)


def _plus_plus(points: Array, mass: Array, count: int, keep_zero: bool, seed: int) -> Array:
    random = np.random.default_rng(seed)
    book = [] if keep_zero else [float(random.choice(points, p=mass / mass.sum()))]
    off = np.abs(points - (0.0 if keep_zero else book[0]))
    while len(book) < count:
        chance = mass * off**2
        book.append(float(random.choice(points, p=chance / chance.sum())))
        off = np.minimum(off, np.abs(points - book[-1]))
    return np.array(book)


def _lloyd(points: Array, mass: Array, book: Array, keep_zero: bool) -> Array:
    for _ in range(_ROUNDS):
        where = nearest(points, book)
        total = np.bincount(where, weights=mass, minlength=len(book))
        middle = np.bincount(where, weights=mass * points, minlength=len(book))
        fresh = np.where(total > 0, middle / np.maximum(total, 1e-300), book)
        if keep_zero:
            fresh[np.argmin(np.abs(book))] = 0.0
        fresh = np.sort(fresh)
        if np.allclose(fresh, book, rtol=1e-9, atol=0.0):
            break
        book = fresh
    return np.unique(book)
