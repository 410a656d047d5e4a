"""Round weights up or down so that a layer's outputs change least, rather than each weight.

Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization", 2020: eq. 19 (the layer's squared error in
its moments), 21 to 24 (rectified sigmoid and the term that drives it to 0 or 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STEPS = 1000
_RATE = 1e-2
# The rectified sigmoid stretches from gamma to zeta, section 4; beta anneals from 20 to 2 after a warm-up.
_ZETA, _GAMMA = 1.1, -0.1
_BETA = (20.0, 2.0)
_WARM_UP = 0.2
_WEIGHT = 0.01


def round_adaptively(
    wanted: Array, scales: Array, hessian: Array, limit: int, fixed: Array, steps: int = STEPS
) -> Array:
    """int8 codes [groups, rows, columns] whose product with ``scales`` gives outputs near those of ``wanted``.

    ``wanted`` float64 of that shape, ``scales`` [groups, rows], ``hessian`` [groups, columns, columns] the second
    moments of inputs, damped; ``fixed`` (bool) is where the code must be 0. Codes lie in -limit to limit. A row
    for which rounding to nearest is the better start takes that; from either, single weights turn while it helps.
    """
    ratio = np.where(fixed, 0.0, wanted / scales[:, :, None])
    lower = np.floor(ratio)
    start = ratio - lower
    # Errors in units of the best that single weights can do, so that one rate suits all layers.
    unit = np.maximum(np.einsum("grc,gcc->g", scales[:, :, None] ** 2 * np.ones_like(ratio), hessian), 1e-30)
    metric = (hessian / unit[:, None, None]).astype(np.float32)
    share = _relax(start, scales, metric, steps)
    bounds = (
        np.clip(np.where(fixed, 0.0, lower), -limit, limit),
        np.clip(np.where(fixed, 0.0, lower + 1), -limit, limit),
    )
    nearest = _settled(start >= 0.5, bounds, wanted, scales, hessian)
    found = _settled(share >= 0.5, bounds, wanted, scales, hessian)
    worse = _errors(found, wanted, scales, hessian) > _errors(nearest, wanted, scales, hessian)
    return np.where(worse[:, :, None], nearest, found).astype(np.int8)


def _settled(up: Array, bounds: tuple[Array, Array], wanted: Array, scales: Array, hessian: Array) -> Array:
    """Codes after the turns of single weights that help a row most, one after the other, until none helps any more."""
    codes = np.where(up, bounds[1], bounds[0])
    diagonal = np.diagonal(hessian, axis1=-2, axis2=-1)[:, None, :]
    slope = (scales[:, :, None] * codes - wanted) @ hessian
    groups, rows = np.indices(codes.shape[:2])
    for _ in range(codes.shape[2]):
        step = scales[:, :, None] * (bounds[0] + bounds[1] - 2 * codes)
        gain = step * (2 * slope + step * diagonal)
        best = gain.argmin(axis=2)
        helps = gain[groups, rows, best] < -1e-12 * diagonal[:, 0].max()
        if not helps.any():
            break
        turn = np.where(helps, step[groups, rows, best], 0.0)
        slope += turn[:, :, None] * hessian[groups, best]
        other = bounds[0] + bounds[1] - codes
        codes[groups, rows, best] = np.where(helps, other[groups, rows, best], codes[groups, rows, best])
    return codes


def _relax(start: Array, scales: Array, metric: Array, steps: int) -> Array:
    """How far up each weight goes, 0 to 1, by Adam (Kingma and Ba, 2015) on the relaxed problem."""
    inverse = np.clip((start - _GAMMA) / (_ZETA - _GAMMA), 1e-4, 1 - 1e-4)
    v = np.log(inverse / (1 - inverse)).astype(np.float32)
    target, factor = start.astype(np.float32), scales[:, :, None].astype(np.float32)
    first: Any = np.zeros_like(v)
    second: Any = np.zeros_like(v)
    count = v.shape[1] * v.shape[2]
    for step in range(1, steps + 1):
        sigmoid = 1 / (1 + np.exp(-v))
        stretched = sigmoid * (_ZETA - _GAMMA) + _GAMMA
        share = np.clip(stretched, 0.0, 1.0)
        slope = np.where((stretched > 0) & (stretched < 1), (_ZETA - _GAMMA) * sigmoid * (1 - sigmoid), 0.0)
        error: Any = factor * (share - target)
        gradient = 2 * factor * (error @ metric)
        done = (step / steps - _WARM_UP) / (1 - _WARM_UP)
        if done > 0:
            beta = _BETA[1] + 0.5 * (_BETA[0] - _BETA[1]) * (1 + np.cos(done * np.pi))
            away = 2 * share - 1
            # d/dh of 1 - |2h - 1|^beta.
            gradient = gradient - _WEIGHT / count * 2 * beta * np.sign(away) * np.abs(away) ** (beta - 1)
        gradient = gradient * slope
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        v = v - _RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-12)
    relaxed: Array = np.clip(1 / (1 + np.exp(-v)) * (_ZETA - _GAMMA) + _GAMMA, 0.0, 1.0)
    return relaxed


def _errors(codes: Array, wanted: Array, scales: Array, hessian: Array) -> Array:
    """The squared error of each row's outputs, [groups, rows]."""
    error: Any = scales[:, :, None] * codes - wanted
    found: Array = np.einsum("grc,gcd,grd->gr", error, hessian, error, optimize=True)
    return found
