"""Mean intersection over union of predicted and labelled pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.verify.scoring import Unscorable, classes_of, predictions_of

NAME = "miou"
HIGHER_IS_BETTER = True
Array = np.ndarray[Any, Any]


def score(truth: Array | None, output: Array, inputs: Array) -> float:
    """Σ_c |P_c ∩ T_c| / |P_c ∪ T_c| over the classes that occur in either, divided by their number.

    Counted over all samples together (as Pascal VOC does, Everingham et al., 2010, section 4.4).
    """
    if truth is None:
        raise Unscorable("there are no labels")
    wanted, found = classes_of(truth, output).reshape(-1), predictions_of(output).reshape(-1)
    count = max(int(output.shape[-1]) if output.ndim > 1 else 1, 2)
    both = np.bincount(wanted[wanted == found], minlength=count)
    union = np.bincount(wanted, minlength=count) + np.bincount(found, minlength=count) - both
    occurs = union > 0
    return float(np.mean(both[occurs] / union[occurs])) if occurs.any() else 0.0
