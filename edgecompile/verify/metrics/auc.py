"""Area under the ROC curve: the chance that a positive sample scores higher than a negative one."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.verify.scoring import Unscorable, classes_of

NAME = "auc"
HIGHER_IS_BETTER = True
Array = np.ndarray[Any, Any]


def score(truth: Array | None, output: Array, inputs: Array) -> float:
    """Ties count half. More than two classes: the mean over classes, each against the rest.

    An output of the input's shape with one label per sample is an autoencoder's: a sample's
    score is its mean squared reconstruction error, class 1 the anomaly (MLPerf Tiny's AD).
    Two scores per sample: the second is that of class 1.
    """
    if truth is None:
        raise Unscorable("there are no labels")
    output = output.astype(np.float64)
    if output.shape == inputs.shape and truth.size == len(output) and output[0].size > 1:
        errors: Array = (output - inputs.astype(np.float64)).reshape(len(output), -1)
        return _binary(classes_of(truth.reshape(-1), output[:, :1].reshape(-1)), np.mean(errors**2, axis=1))
    classes = classes_of(truth, output).reshape(-1)
    scores = output.reshape(len(classes), -1)
    if scores.shape[1] <= 2:
        return _binary(classes, scores[:, -1])
    present = [index for index in range(scores.shape[1]) if 0 < np.sum(classes == index) < len(classes)]
    if not present:
        raise Unscorable("the labels name one class only; a curve needs two")
    return float(np.mean([_binary(classes == index, scores[:, index]) for index in present]))


def _binary(classes: Array, scores: Array) -> float:
    """(sum of the positives' ranks − p(p + 1)/2) / (p n), ranks averaged over ties (Mann and Whitney, 1947)."""
    positive = classes.astype(bool)
    p, n = int(positive.sum()), int((~positive).sum())
    if not p or not n:
        raise Unscorable("the labels name one class only; a curve needs two")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - p * (p + 1) / 2) / (p * n))
