"""First and second moments of a layer's inputs: all that second-order compression needs to know of the samples.

With X̂ the inputs in the compressed network and X those in the network to be matched, the outputs differ least in
the mean square where tr (Q - W*) H (Q - W*)ᵀ is least, H = cov(X̂) and W* = W cov(X, X̂) H⁻¹. With one kind of
inputs only this is the H = X Xᵀ of Frantar and Alistarh, "Optimal Brain Compression", 2022, section 3; with both, the
asymmetric calibration of Li et al., "GPTAQ", 2025. Means drop out because the bias takes them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# The square of a column's mean over its variance above which float32 is too coarse for the difference of the two.
_STEADY = 1e3
_ROUNDING = 1e-12
_ROWS = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Sums over ``count`` rows, float64: inputs of the compressed network ``x``, of the original one ``y``.

    ``x``, ``y`` [groups, columns]; ``xx`` = Σ x̂ᵀx̂ and ``yx`` = Σ xᵀx̂ [groups, columns, columns].
    """

    count: int
    x: Array
    y: Array
    xx: Array
    yx: Array

    def __add__(self, other: Moments) -> Moments:
        """The moments of both sets of rows."""
        return Moments(
            count=self.count + other.count,
            x=self.x + other.x,
            y=self.y + other.y,
            xx=self.xx + other.xx,
            yx=self.yx + other.yx,
        )

    def hessian(self, centred: bool) -> Array:
        """Mean of x̂ᵀx̂ [groups, columns, columns], about the mean where ``centred``."""
        found = _moment(self.xx, self.x, self.x, self.count, centred)
        # What is left of rounding must not make it indefinite.
        floor = _ROUNDING * np.square(self.x / self.count) if centred else np.zeros_like(self.x)
        return np.asarray(found + floor[:, :, None] * np.eye(found.shape[-1]))

    def cross(self, centred: bool) -> Array:
        """Mean of xᵀx̂ [groups, columns of the original, columns of the compressed], likewise."""
        return _moment(self.yx, self.y, self.x, self.count, centred)


def moments(compressed: Array, original: Array | None = None) -> Moments:
    """The moments of rows float32[groups, rows, columns]; both arrays are of the same samples and positions."""
    x, y = compressed, compressed if original is None else original
    xx = _product(x, x)
    return Moments(
        count=x.shape[1],
        x=x.sum(axis=1, dtype=np.float64),
        y=y.sum(axis=1, dtype=np.float64),
        xx=xx,
        yx=xx if original is None else _product(y, x),
    )


def _product(left: Array, right: Array) -> Array:
    """Σ leftᵀ right; float32 where columns vary about as much as they are large, else float64.

    Of inputs that hardly vary (a squeeze-excite's, say) the covariance is what is left of two large numbers.
    """
    if _is_steady(left) or _is_steady(right):
        parts = range(0, left.shape[1], _ROWS)
        return np.asarray(sum(_exact(left[:, at : at + _ROWS], right[:, at : at + _ROWS]) for at in parts))
    with np.errstate(invalid="ignore", over="ignore"):  # told of as EC324
        return np.asarray(left.transpose(0, 2, 1) @ right, np.float64)


def _is_steady(x: Array) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return bool((np.square(x.mean(axis=1)) > _STEADY * x.var(axis=1)).any())


def _exact(left: Array, right: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(left.transpose(0, 2, 1).astype(np.float64) @ right.astype(np.float64))


def _moment(sums: Array, left: Array, right: Array, count: int, centred: bool) -> Array:
    found = sums / count
    return found - left[:, :, None] * right[:, None, :] / count**2 if centred else found
