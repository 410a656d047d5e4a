"""Hold y against the model's outputs: class indices in range, more than one class, names for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.port import Port
from edgecompile.core.units import counted
from edgecompile.frontend.data_set import Array, DataSet
from edgecompile.frontend.data_spots import Spots, spots


def check(data: DataSet, outputs: Sequence[Port]) -> Iterable[Diagnostic]:
    """EC269 for class indices outside ``0...classes-1``; warnings EC271 (one class), EC284 (number of class names).

    y are class indices where they are integers of the output's shape without its last axis, of
    more than one class; anything else is left to the metric.
    """
    for index, port in enumerate(outputs):
        arrays = {f"y_{name}": part.y[index] for name, part in data.parts() if index < len(part.y)}
        classes = port.shape[-1] if len(port.shape) > 1 else None
        indices = {name: y for name, y in arrays.items() if _is_indices(y, port)}
        if classes is not None and classes > 1:
            yield from _out_of_range(data, index, classes, partial(_is_indices, port=port))
        if index == 0:
            yield from _one_class(indices, data)
    if data.labels and outputs:
        yield from _names_count(data, outputs[0])


def out_of_range(data: DataSet, classes: int | None) -> Iterable[Diagnostic]:
    """EC269 of a model with one output of so many classes that is not loaded yet; None: nobody knows how many."""
    if classes is None or any(len(part.y) > 1 for _, part in data.parts()):
        return ()
    return _out_of_range(data, 0, classes, lambda y: y.ndim == 1 and y.dtype.kind in "iub")


def _is_indices(y: Array, port: Port) -> bool:
    return y.dtype.kind in "iub" and y.ndim == len(port.shape) - 1


def _out_of_range(data: DataSet, index: int, classes: int, is_indices: Callable[[Array], bool]) -> Iterable[Diagnostic]:
    def outside(y: Array) -> Array | None:
        return (y < 0) | (y >= classes) if is_indices(y) else None

    found = spots(data, "y", outside, index)
    if found:
        given = [part.y[index] for _, part in data.parts() if index < len(part.y) and is_indices(part.y[index])]
        starts_at_one = all(int(y.min()) == 1 and int(y.max()) == classes for y in given)
        yield Diagnostic(
            code="EC269",
            message="labels lie outside the model's classes",
            location=Location(file=data.source),
            notes=(f"limit: 0 to {classes - 1} ({classes} outputs)", *(_told(spot) for spot in found)),
            help=(
                "labels count from 0: subtract 1"
                if starts_at_one
                else "check that the data and the model have the same classes",
            ),
        )


def _told(spot: Spots) -> str:
    places = f"{spot.count} place{'s' if spot.count > 1 else ''}"
    return f"{spot.name}: found {', '.join(str(int(one)) for one in spot.values)} in {places}, first {spot.place}"


def _one_class(indices: dict[str, Array], data: DataSet) -> Iterable[Diagnostic]:
    for name, y in indices.items():
        if name != "y_calibration" and len(y) > 1 and y.min() == y.max():
            yield Diagnostic(
                code="EC271",
                message=f"every label of `{name}` is {int(y.reshape(-1)[0])}",
                severity=Severity.WARNING,
                location=Location(file=data.source, detail=f"array `{name}`"),
                notes=(f"found: one class in {counted(len(y), 'sample')}",),
                help=("give samples of every class: an accuracy over one class says little",),
            )


def _names_count(data: DataSet, port: Port) -> Iterable[Diagnostic]:
    classes = port.shape[-1]
    if classes is not None and classes > 1 and classes != len(data.labels):
        yield other_count(data.labels, data.source, (classes,))


def other_count(labels: Sequence[str], source: str | None, classes: Sequence[int]) -> Diagnostic:
    """EC284, a warning: none of the outputs, of so many ``classes`` each, has one for each label."""
    return Diagnostic(
        code="EC284",
        message=f"there are {len(labels)} class names for {' and '.join(map(str, classes))} outputs",
        severity=Severity.WARNING,
        location=Location(file=source),
        notes=(f"the names: {', '.join(labels[:12])}",),
        help=("name every class that the model knows, in the order of its outputs",),
    )
