"""Which classes are taken for which: counts by label and answer, of the artifact and of the float model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.verify.scoring import Unscorable, classes_of, is_labels, predictions_of

Array = np.ndarray[Any, Any]
# More rows than that nobody reads, and a report should stay small.
MOST_CLASSES = 32


def confusion(truth: Sequence[Array], outputs: Sequence[Array], reference: Sequence[Array] | None) -> dict[str, Any]:
    """``{"artifact": rows, "float": rows}`` of the first output; a row a label, counts by answer with spaces between.

    ``float`` is left out without a ``reference``. Empty where labels name no classes, or more than ``MOST_CLASSES``.
    """
    if not truth or not outputs or not is_labels(truth[0], outputs[0]):
        return {}
    given = {"artifact": outputs[0], **({"float": reference[0]} if reference else {})}
    try:
        found = {name: _counts(truth[0], output) for name, output in given.items()}
    except Unscorable:
        return {}
    if any(len(counts) > MOST_CLASSES for counts in found.values()):
        return {}
    return {name: [" ".join(map(str, row)) for row in counts.tolist()] for name, counts in found.items()}


def _counts(truth: Array, output: Array) -> Array:
    wanted, answered = classes_of(truth, output).reshape(-1), predictions_of(output).reshape(-1)
    classes = max(2, output.shape[-1] if output.ndim > 1 else 2)
    counts: Array = np.bincount(wanted * classes + answered, minlength=classes * classes)
    return counts.reshape(classes, classes)
