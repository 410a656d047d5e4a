"""Weights of a layer as those of two or three of low rank, so that outputs on given inputs change least.

All forms minimize the mean of ‖(W - Ŵ)(x - μ)‖² over rows x that the layer reads (patches of an image), C being
their covariance; what the means make of it goes into the bias. Without samples C is the identity.

- ``svd``: Ŵ = U (Uᵀ W), U the first eigenvectors of W C Wᵀ: a k x k layer to r channels, then 1 x 1 (Zhang et al.
  2015, "Accelerating Very Deep Convolutional Networks", section 3.1; for 1 x 1 and dense layers the truncated SVD).
- ``spatial``: k x 1 to r channels, then 1 x k (Jaderberg et al. 2014, section 2.1, scheme 2).
- ``tucker``: 1 x 1 to r channels, k x k to s channels, 1 x 1 (Kim et al. 2016, Tucker-2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Mean ``[p]`` and covariance ``[p, p]`` of the rows that a layer reads, p = h * w * i of its weights."""

    mean: Array
    covariance: Array

    @classmethod
    def of(cls, rows: Array) -> Moments:
        """The moments of rows ``[n, p]``, with a little of the identity so that nothing is free of cost."""
        mean = rows.mean(axis=0)
        centred = rows - mean
        covariance = centred.T @ centred / len(rows)
        return cls(mean=mean, covariance=covariance + np.eye(len(mean)) * max(1e-4 * _mean_energy(covariance), 1e-9))

    @classmethod
    def unknown(cls, columns: int) -> Moments:
        """Where there are no samples: all inputs alike."""
        return cls(mean=np.zeros(columns), covariance=np.eye(columns))


@dataclass(frozen=True, kw_only=True, eq=False)
class Factors:
    """``parts``: weights ``[o, h, w, i]`` of the layers in order. ``error`` is relative: 1 is all of the variance.

    ``shift`` is to be added to the last layer's bias.
    """

    form: str
    parts: tuple[Array, ...]
    error: float
    shift: Array


def factor(form: str, weights: Array, ranks: tuple[int, ...], moments: Moments) -> Factors:
    """``weights`` ``float[o, h, w, i]`` in a form; one rank, but (inner, outer) for ``tucker``."""
    exact = weights.astype(np.float64)
    parts = _FORMS[form](exact, ranks, moments)
    lost = exact.reshape(len(exact), -1) - merged(form, parts).reshape(len(exact), -1)
    whole = exact.reshape(len(exact), -1)
    error = np.einsum("op,pq,oq->", lost, moments.covariance, lost, optimize=True)
    total = np.einsum("op,pq,oq->", whole, moments.covariance, whole, optimize=True)
    return Factors(
        form=form,
        parts=tuple(part.astype(np.float32) for part in parts),
        error=float(max(error, 0.0) / max(total, 1e-30)),
        shift=(lost @ moments.mean).astype(np.float32),
    )


def merged(form: str, parts: tuple[Array, ...]) -> Array:
    """The weights ``[o, h, w, i]`` of the one layer that the parts are together."""
    if form == "svd":
        product = np.einsum("rhwi,or->ohwi", parts[0], parts[1][:, 0, 0], optimize=True)
    elif form == "spatial":
        product = np.einsum("rhi,owr->ohwi", parts[0][:, :, 0], parts[1][:, 0], optimize=True)
    else:
        product = np.einsum("ri,shwr,os->ohwi", parts[0][:, 0, 0], parts[1], parts[2][:, 0, 0], optimize=True)
    return np.asarray(product)


def outputs_kept(weights: Array, moments: Moments) -> Array:
    """``[o]``: the share of the outputs' variance that the first 1, 2, ... directions of the outputs hold."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    values = np.linalg.eigvalsh(flat @ moments.covariance @ flat.T)[::-1].clip(0)
    return np.asarray(np.cumsum(values) / max(values.sum(), 1e-30))


def _svd(weights: Array, ranks: tuple[int, ...], moments: Moments) -> tuple[Array, ...]:
    flat = weights.reshape(len(weights), -1)
    outer = _leading(flat @ moments.covariance @ flat.T, ranks[0])
    first = (outer.T @ flat).reshape(ranks[0], *weights.shape[1:])
    return _balanced(first, outer[:, None, None, :])


def _spatial(weights: Array, ranks: tuple[int, ...], moments: Moments) -> tuple[Array, ...]:
    """The k x 1 layer from the singular vectors weighted by its inputs' covariance, the other by least squares."""
    outputs, high, wide, inputs = weights.shape
    columns = moments.covariance.reshape(high, wide, inputs, high, wide, inputs)
    near = np.einsum("hwigwj->higj", columns, optimize=True).reshape(high * inputs, high * inputs) / wide
    matrix = weights.transpose(1, 3, 2, 0).reshape(high * inputs, wide * outputs)
    root, inverse = _roots(near)
    basis = inverse @ _leading(root @ matrix @ matrix.T @ root, ranks[0])
    rank = basis.shape[1]
    # What the k x 1 layer makes of a patch, at each of its columns: [h, w, i] to [w, r].
    spread = np.zeros((high, wide, inputs, wide, rank))
    for place in range(wide):
        spread[:, place, :, place] = basis.reshape(high, inputs, rank)
    second = _least_squares(weights.reshape(outputs, -1), spread.reshape(-1, wide * rank), moments)
    first = basis.reshape(high, inputs, rank).transpose(2, 0, 1)[:, :, None, :]
    return _balanced(first, second.reshape(outputs, 1, wide, rank))


def _tucker(weights: Array, ranks: tuple[int, ...], moments: Moments) -> tuple[Array, ...]:
    """Channels of inputs and outputs to their leading directions, the core by least squares."""
    outputs, high, wide, inputs = weights.shape
    places = high * wide
    flat = weights.reshape(outputs, -1)
    columns = moments.covariance.reshape(places, inputs, places, inputs)
    root, inverse = _roots(np.einsum("pipj->ij", columns, optimize=True) / places)
    matrix = weights.reshape(-1, inputs).T
    inner = inverse @ _leading(root @ matrix @ matrix.T @ root, ranks[0])
    outer = _leading(flat @ moments.covariance @ flat.T, ranks[1])
    spread = np.kron(np.eye(places), inner)
    core = _least_squares(outer.T @ flat, spread, moments).reshape(ranks[1], high, wide, ranks[0])
    first, middle = _balanced(inner.T[:, None, None, :], core)
    return (first, *_balanced(middle, outer[:, None, None, :]))


_FORMS: Mapping[str, Callable[[Array, tuple[int, ...], Moments], tuple[Array, ...]]] = {
    "spatial": _spatial,
    "svd": _svd,
    "tucker": _tucker,
}


def _least_squares(wanted: Array, spread: Array, moments: Moments) -> Array:
    """The weights on ``spread.T @ x`` that come nearest to ``wanted @ x``."""
    seen = spread.T @ moments.covariance
    gram = seen @ spread
    gram = gram + np.eye(len(gram)) * max(1e-9 * _mean_energy(gram), 1e-12)
    return np.asarray(np.linalg.solve(gram, seen @ wanted.T).T)


def _leading(symmetric: Array, count: int) -> Array:
    """The eigenvectors of the largest eigenvalues, as columns; signs made the same on every machine."""
    vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)[1][:, ::-1][:, :count]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return np.asarray(vectors * np.where(signs == 0, 1, signs))


def _roots(symmetric: Array) -> tuple[Array, Array]:
    """The square root of a positive matrix, and its inverse."""
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    values = values.clip(max(1e-7 * float(values.max()), 1e-12))
    return (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T


def _balanced(first: Array, second: Array) -> tuple[Array, Array]:
    """The same product with the two layers' weights of equal size in each inner channel, which quantizes best."""
    ones = np.sqrt((first**2).sum(axis=(1, 2, 3)))
    others = np.sqrt((second**2).sum(axis=(0, 1, 2)))
    scale = np.sqrt(np.maximum(others, 1e-12) / np.maximum(ones, 1e-12))
    return first * scale[:, None, None, None], second / scale


def _mean_energy(symmetric: Array) -> float:
    return float(np.trace(symmetric)) / len(symmetric)
