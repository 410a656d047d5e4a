"""Round weights column by column, later columns making up for what earlier ones lost; then again until it settles.

Everything is for weights w [groups, rows, columns] with one Hessian H [columns, columns] for each group, and the error
of a row (q - w) H (q - w)ᵀ. The sweep is Frantar et al., "GPTQ", 2022, eq. 2 and 3 with the Cholesky factor
of section 3.3; columns go in the order of falling H_jj, the heuristic of its later implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgecompile.compress.oneshot.inverse import upper_root

Array = np.ndarray[Any, Any]
# Values [groups, rows] that column j should have -> values that it can have. Columns [groups] differ between groups.
Assign = Callable[[Array, Array], Array]
# Share of the mean of the diagonal that is added to it (GPTQ, section 3.3).
DAMPING = 0.01
_BLOCK = 64


def damped(hessian: Array) -> Array:
    """H + λI, λ a hundredth of the mean of its diagonal: columns that no sample uses cannot make it singular."""
    size = hessian.shape[-1]
    mean = np.trace(hessian, axis1=-2, axis2=-1) / size
    return np.asarray(hessian + (DAMPING * np.maximum(mean, 1e-12))[:, None, None] * np.eye(size))


def error(weights: Array, values: Array, hessian: Array) -> Array:
    """(q - w) H (q - w)ᵀ of each row [groups, rows]."""
    off = values - weights
    return np.asarray(np.einsum("grk,grk->gr", off @ hessian, off))


def sweep(weights: Array, hessian: Array, assign: Assign) -> Array:
    """Values that ``assign`` allows, each column's loss carried over to the columns after it."""
    order = np.argsort(-np.diagonal(hessian, axis1=-2, axis2=-1), axis=-1, kind="stable")
    w = np.take_along_axis(weights, order[:, None, :], axis=2).astype(np.float64)
    turned = np.take_along_axis(np.take_along_axis(hessian, order[:, :, None], axis=1), order[:, None, :], axis=2)
    upper = upper_root(turned)
    values = np.empty_like(w)
    size = w.shape[2]
    for start in range(0, size, _BLOCK):
        end = min(start + _BLOCK, size)
        losses = np.empty((*w.shape[:2], end - start))
        for j in range(start, end):
            values[:, :, j] = assign(w[:, :, j], order[:, j])
            loss = (w[:, :, j] - values[:, :, j]) / upper[:, j, j][:, None]
            losses[:, :, j - start] = loss
            w[:, :, j + 1 : end] -= loss[:, :, None] * upper[:, None, j, j + 1 : end]
        w[:, :, end:] -= losses @ upper[:, start:end, end:]
    back = np.argsort(order, axis=-1)
    return np.take_along_axis(values, back[:, None, :], axis=2)


def polish(weights: Array, values: Array, hessian: Array, assign: Assign) -> Array:
    """One round of coordinate descent: each column takes the allowed values that are best given all others.

    The error never grows: for one weight it is a parabola, so the allowed value nearest to its lowest point is best.
    """
    q = values.copy()
    gradient = (q - weights) @ hessian
    diagonal = np.diagonal(hessian, axis1=-2, axis2=-1)
    groups, size = np.arange(len(q)), q.shape[2]
    for start in range(0, size, _BLOCK):
        end = min(start + _BLOCK, size)
        before = q[:, :, start:end].copy()
        for j in range(start, end):
            wished = q[:, :, j] - gradient[:, :, j] / diagonal[:, None, j]
            fresh = assign(wished, np.full(len(groups), j))
            step = fresh - q[:, :, j]
            q[:, :, j] = fresh
            gradient[:, :, j:end] += step[:, :, None] * hessian[:, None, j, j:end]
        moved = q[:, :, start:end] - before
        gradient[:, :, end:] += moved @ hessian[:, start:end, end:]
    return q
