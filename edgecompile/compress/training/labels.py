"""What labels mean for an output: classes, yes or no, or values; and whether they fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.training.ends import End
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input

Array = np.ndarray[Any, Any]
_TOLERANCE = 1e-3  # of probabilities that were rounded when they were written


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What one output is to learn.

    ``kind``: ``classes`` (cross-entropy over the last axis), ``binary`` (each element yes or no) or ``values`` (mean
    squared error over ``variance``, so that losses of all tasks are of one size). ``labels``: class indices
    ``int64[n, ...]`` where ``sparse``, else float32 of the output's shape; None without labels.
    """

    kind: str
    end: End
    labels: Array | None = None
    sparse: bool = False
    variance: float = 1.0
    from_probabilities: bool = False

    def targets(self, indices: Array) -> Array:
        """The labels of some samples as ``float32[n, *output shape]``, class indices as one-hot rows."""
        assert self.labels is not None
        some: Array = self.labels[indices]
        if not self.sparse:
            return np.asarray(some, np.float32)
        one_hot: Array = some[..., None] == np.arange(self.end.classes)
        return one_hot.astype(np.float32)


def tasks_of(ends: Sequence[End], labels: Sequence[Array], outputs: Sequence[Array]) -> tuple[Task, ...]:
    """One task for each output. ``labels`` may be empty; ``outputs`` are the network's, of some samples.

    Raises BadInputError EC313 where labels do not fit the outputs.
    """
    if not labels:
        return tuple(_unlabelled(end, output) for end, output in zip(ends, outputs, strict=True))
    if len(labels) != len(ends):
        raise _unfit("the network and the data have different numbers of outputs", len(ends), len(labels), None)
    return tuple(_task(end, np.asarray(y), output) for end, y, output in zip(ends, labels, outputs, strict=True))


def looks_like_probabilities(output: Array) -> bool:
    """Whether every row along the last axis is a distribution (a softmax that was written out in other operators)."""
    rows = output.reshape(-1, output.shape[-1]) if output.ndim > 1 else output.reshape(-1, 1)
    sums = rows.sum(axis=1)
    # An int8 output has steps of 1/256; their rounding adds up over the row.
    return rows.shape[1] > 1 and bool((rows >= 0).all() and (np.abs(sums - 1) < 0.05).all())


def _unlabelled(end: End, output: Array) -> Task:
    if end.kind == "sigmoid":
        return Task(kind="binary", end=end)
    if end.kind == "softmax":
        return Task(kind="classes", end=end)
    if looks_like_probabilities(output):
        return Task(kind="classes", end=end, from_probabilities=True)
    return Task(kind="values", end=end, variance=_variance(output))


def _task(end: End, y: Array, output: Array) -> Task:
    """Class indices lack the last axis (or have 1 there); anything else must have as many elements as the output."""
    inner = y.shape[1:]
    if end.classes > 1 and inner in (end.shape[:-1], (*end.shape[:-1], 1)) and _whole(y):
        return _sparse(end, y.reshape(len(y), *end.shape[:-1]), output)
    if y.size != len(y) * int(np.prod(end.shape)):
        raise _unfit("labels do not have the output's shape", list(end.shape), list(inner), end)
    dense = y.reshape(len(y), *end.shape).astype(np.float32)
    if not np.isfinite(dense).all():
        raise _unfit("labels hold numbers that are not finite", "finite numbers", "NaN or infinity", end)
    if end.kind == "sigmoid":
        _within(dense, end)
        return Task(kind="binary", end=end, labels=dense)
    rows = end.classes > 1 and bool((dense >= 0).all() and (np.abs(dense.sum(-1) - 1) < _TOLERANCE).all())
    if end.kind == "softmax" and not rows:
        raise _unfit("label rows are no distributions over the classes", "rows that sum to 1", _sums(dense), end)
    if rows and (end.kind == "softmax" or bool(np.isin(dense, (0, 1)).all())):
        return Task(kind="classes", end=end, labels=dense, from_probabilities=_closed(end, output))
    return Task(kind="values", end=end, labels=dense, variance=_variance(dense))


def _sparse(end: End, y: Array, output: Array) -> Task:
    indices = y.astype(np.int64)
    if indices.size and (indices.min() < 0 or indices.max() >= end.classes):
        found = f"{indices.min()} to {indices.max()}"
        raise _unfit("class indices are outside of the output's classes", f"0 to {end.classes - 1}", found, end)
    kind = "binary" if end.kind == "sigmoid" else "classes"
    return Task(kind=kind, end=end, labels=indices, sparse=True, from_probabilities=_closed(end, output))


def _closed(end: End, output: Array) -> bool:
    return end.kind == "open" and looks_like_probabilities(output)


def _whole(y: Array) -> bool:
    return y.dtype.kind in "iub" or bool(np.isfinite(y).all() and (y == np.round(y)).all())


def _within(dense: Array, end: End) -> None:
    if dense.size and not (dense.min() >= 0 and dense.max() <= 1):
        found = f"{dense.min():g} to {dense.max():g}"
        raise _unfit("labels of a sigmoid output are outside of 0 to 1", "0 to 1", found, end)


def _sums(dense: Array) -> str:
    sums = dense.sum(-1)
    return f"sums from {sums.min():g} to {sums.max():g}"


def _variance(values: Array) -> float:
    variance = float(np.var(np.asarray(values, np.float64)))
    return variance if variance > 0 else 1.0


def _unfit(message: str, limit: Any, found: Any, end: End | None) -> EdgecompileError:
    return bad_input(
        "EC313",
        message,
        location=Location(detail=f"output {end.position}") if end is not None else None,
        notes=(f"the network takes: {limit}", f"found in the training data: {found}"),
        help=(
            "give class indices, one-hot rows, or values of the output's shape, one array for each output",
            "or leave the labels out: training then learns from the uncompressed network",
        ),
    )
