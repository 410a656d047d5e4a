"""Share of predictions whose best-scored class is the labelled one; of pixels, where the output has one per pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.verify.scoring import Unscorable, classes_of, predictions_of

NAME = "top1"
HIGHER_IS_BETTER = True
Array = np.ndarray[Any, Any]


def score(truth: Array | None, output: Array, inputs: Array) -> float:
    """``truth``: class indices, or one-hot rows; see ``scoring.classes_of``."""
    if truth is None:
        raise Unscorable("there are no labels")
    return float(np.mean(classes_of(truth, output) == predictions_of(output)))
