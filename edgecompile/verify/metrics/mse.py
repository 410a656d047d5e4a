"""Mean squared error against the labels, or against the inputs where there are none (an autoencoder)."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.verify.scoring import Unscorable

NAME = "mse"
HIGHER_IS_BETTER = False
Array = np.ndarray[Any, Any]


def score(truth: Array | None, output: Array, inputs: Array) -> float:
    """mean((output − truth)²) over all elements; ``truth`` has the output's shape, up to axes of size 1."""
    wanted = inputs if truth is None else truth
    if wanted.dtype.kind not in "biuf":
        raise Unscorable(f"the values to compare with are {wanted.dtype}, not numbers")
    if wanted.size != output.size or len(wanted) != len(output) or _without_ones(wanted) != _without_ones(output):
        what = "the inputs (there are no labels)" if truth is None else "labels"
        raise Unscorable(f"{what} have shape {list(wanted.shape)}, the output {list(output.shape)}")
    difference = output.astype(np.float64) - wanted.reshape(output.shape).astype(np.float64)
    return float(np.mean(difference**2))


def _without_ones(array: Array) -> list[int]:
    return [size for size in array.shape[1:] if size != 1]
