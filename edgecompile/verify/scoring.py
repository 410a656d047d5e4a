"""What metrics share: labels in whatever form people keep them, as class indices."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Unscorable(Exception):
    """Labels and output do not go together; the message says what was expected and found, in plain words."""


def classes_of(truth: Array, output: Array) -> Array:
    """Class indices ``int64[n, ...]`` from indices, ``[n, ..., 1]`` indices, booleans or one-hot rows.

    ``output`` is ``[n, ..., k]`` (k scores) or ``[n, ..., 1]`` or ``[n]`` (one score: two classes).
    Raises Unscorable when the shapes do not fit or an index has no score.
    """
    scores = output if output.ndim > 1 else output[:, None]
    count, places = scores.shape[-1], scores.shape[:-1]
    if truth.shape == places:
        found = _indices(truth)
    elif truth.shape == (*places, 1):
        found = _indices(truth[..., 0])
    elif truth.shape == scores.shape and count > 1:
        found = truth.argmax(axis=-1)
    else:
        raise Unscorable(f"labels have shape {list(truth.shape)}, the output {list(output.shape)}")
    highest = max(count - 1, 1)
    if found.size and (found.min() < 0 or found.max() > highest):
        raise Unscorable(f"labels run from {found.min()} to {found.max()}, the output has classes 0 to {highest}")
    return found


def predictions_of(output: Array) -> Array:
    """The class with the largest score; one score alone is class 1 from 0.5 up, or from 0 up where scores leave 0..1.

    (A sigmoid gives probabilities; a model without one gives logits, whose middle is 0.)
    """
    scores = output if output.ndim > 1 else output[:, None]
    if scores.shape[-1] > 1:
        best: Array = scores.argmax(axis=-1)
        return best
    probabilities = scores.size == 0 or bool(scores.min() >= 0 and scores.max() <= 1)
    above: Array = (scores[..., 0] >= (0.5 if probabilities else 0.0)).astype(np.int64)
    return above


def is_labels(truth: Array, output: Array) -> bool:
    """Whether ``truth`` names classes of ``output`` rather than values it should have."""
    scores = output if output.ndim > 1 else output[:, None]
    whole = truth.dtype.kind in "biu" or (truth.size > 0 and bool(np.all(truth == np.trunc(truth))))
    if not whole:
        return False
    if truth.shape == scores.shape and scores.shape[-1] > 1:
        return bool(np.all(truth.sum(axis=-1) == 1) and truth.min() >= 0)
    if scores.shape[-1] == 1:
        return truth.dtype.kind in "biu" and truth.size > 0 and int(truth.max()) <= 1 and int(truth.min()) >= 0
    return truth.shape in (scores.shape[:-1], (*scores.shape[:-1], 1))


def _indices(truth: Array) -> Array:
    if truth.dtype.kind == "f" and np.any(truth != np.trunc(truth)):
        raise Unscorable("labels are fractions, not class indices")
    if truth.dtype.kind not in "biuf":
        raise Unscorable(f"labels are {truth.dtype}, not class indices")
    return truth.astype(np.int64)
