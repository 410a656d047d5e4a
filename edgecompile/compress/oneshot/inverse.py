"""The inverse of a layer's Hessian by a root of it: for thousands of columns a quarter of the work of inverting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# Columns from which on roots are taken by blocks; below, inverting as a whole takes no time that anybody notices.
LARGE = 1024
_BLOCK = 128


@dataclass(frozen=True, kw_only=True, eq=False)
class Inverse:
    """H⁻¹ [groups, columns, columns], as it is or as FᵀF; one of both is given."""

    whole: Array | None = None
    factor: Array | None = None

    def behind(self, rows: Array) -> Array:
        """Rows [groups, rows, columns] times H⁻¹."""
        if self.factor is None:
            return np.asarray(rows @ self.whole)
        return np.asarray(rows @ self.factor.transpose(0, 2, 1) @ self.factor)

    @property
    def diagonal(self) -> Array:
        """[H⁻¹]_jj [groups, columns]."""
        if self.factor is None:
            assert self.whole is not None
            return np.diagonal(self.whole, axis1=-2, axis2=-1)
        return np.asarray(np.square(self.factor).sum(axis=1))


def inverse(hessian: Array) -> Inverse:
    """Of a positive definite H [groups, columns, columns]; H = LLᵀ gives H⁻¹ = FᵀF with F = L⁻¹."""
    if hessian.shape[-1] < LARGE:
        return Inverse(whole=np.linalg.inv(hessian))
    return Inverse(factor=_of_lower(np.linalg.cholesky(hessian)))


def upper_root(hessian: Array) -> Array:
    """Upper U with UᵀU = H⁻¹, which GPTQ walks along: with J the reversal, JHJ = LLᵀ gives U = JL⁻¹J."""
    if hessian.shape[-1] < LARGE:
        return np.linalg.cholesky(np.linalg.inv(hessian)).transpose(0, 2, 1)
    return _of_lower(np.linalg.cholesky(hessian[:, ::-1, ::-1]))[:, ::-1, ::-1]


def _of_lower(lower: Array) -> Array:
    """The inverse of lower triangles: with blocks [[A, 0], [B, C]] it is [[A⁻¹, 0], [-C⁻¹BA⁻¹, C⁻¹]]."""
    size = lower.shape[-1]
    if size <= _BLOCK:
        return np.linalg.inv(lower)
    half = size // 2
    found = np.zeros_like(lower)
    found[:, :half, :half] = _of_lower(lower[:, :half, :half])
    found[:, half:, half:] = _of_lower(lower[:, half:, half:])
    found[:, half:, :half] = -(found[:, half:, half:] @ lower[:, half:, :half]) @ found[:, :half, :half]
    return found
