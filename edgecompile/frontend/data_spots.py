"""Say where in the user's own source the values stand that a check finds fault with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.frontend.data_set import Array, DataSet, Origin

Faults = Callable[[Array], Array | None]
# Sources that have arrays by name; of others, x and y are ours.
_NAMED = frozenset({"npz", "python"})
_SHOWN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Spots:
    """Values at fault in one array of the source: ``count`` of ``size``, some of them, and where the first stands.

    ``name`` is the array's as the source spells it; ``place`` is ``at [17, 0]``, ``in row 18, column `age```
    or ``in `cat/1.wav` at [0]``.
    """

    name: str
    count: int
    size: int
    values: tuple[Any, ...]
    first: Any
    place: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """What one split got of an array; ``fresh`` are the samples that no split before it has."""

    array: Array
    origin: Origin
    fresh: Array


def spots(data: DataSet, axis: str, faults: Faults, index: int | None = None) -> tuple[Spots, ...]:
    """What ``faults`` (the mask of an array, None for nothing) finds in x or y, by arrays of the source.

    ``index``: of the one input or output to look at. A sample that two splits share counts once.
    """
    most = max((len(getattr(part, axis)) for _, part in data.parts()), default=0)
    found: list[Spots] = []
    for number in range(most) if index is None else (index,):
        for part, pieces in _pieces(data, axis, number).items():
            found += _spotted(name_of(data, axis, part, number), pieces, faults)
    return tuple(found)


def told(spot: Spots) -> str:
    """``x_train: 2 of 960 values, the first (nan) at [17, 0]``."""
    return f"{spot.name}: {spot.count} of {spot.size} values, the first ({spot.first}) {spot.place}"


def name_of(data: DataSet, axis: str, part: str, number: int) -> str:
    """``x_train_left``: an array as its source spells it."""
    names = data.names if axis == "x" else data.output_names
    return "_".join((axis, part, *names[number : number + 1])) if data.kind in _NAMED else axis


def _pieces(data: DataSet, axis: str, number: int) -> dict[str, list[_Piece]]:
    """By part of the source, what the splits have of it."""
    found: dict[str, list[_Piece]] = {}
    for name, split in data.parts():
        arrays = getattr(split, axis)
        if number < len(arrays):
            origin = split.origin or Origin(part=name, rows=np.arange(len(split)))
            before = found.setdefault(origin.part, [])
            known = [piece.origin.rows for piece in before]
            fresh = ~np.isin(origin.rows, np.concatenate(known)) if known else np.ones(len(origin.rows), bool)
            before.append(_Piece(array=arrays[number], origin=origin, fresh=fresh))
    return found


def _spotted(name: str, pieces: Iterable[_Piece], faults: Faults) -> Iterable[Spots]:
    count = size = 0
    values: set[Any] = set()
    firsts: list[tuple[Any, Any, str]] = []
    for piece in pieces:
        size += int(piece.fresh.sum()) * int(np.prod(piece.array.shape[1:]))
        mask = faults(piece.array)
        if mask is None or not mask.any():
            continue
        mask = mask & piece.fresh.reshape(-1, *(1,) * (mask.ndim - 1))
        if not mask.any():
            continue
        count += int(mask.sum())
        values.update(np.unique(piece.array[mask])[:_SHOWN].tolist())
        firsts.append(_first(piece, mask))
    if count:
        _, first, place = min(firsts, key=lambda one: one[0])
        yield Spots(name=name, count=count, size=size, values=tuple(sorted(values)[:_SHOWN]), first=first, place=place)


def _first(piece: _Piece, mask: Array) -> tuple[Any, Any, str]:
    """The row of the first value at fault, as the source counts, the value, and its place in words."""
    hit = np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1))
    rows = piece.origin.rows[hit].tolist()
    row = min(rows)
    sample = int(hit[rows.index(row)])
    inside = tuple(int(one) for one in np.argwhere(mask[sample])[0])
    return row, piece.array[sample][inside], _place(row, inside, piece)


def _place(row: Any, inside: tuple[int, ...], piece: _Piece) -> str:
    columns = piece.origin.columns
    if isinstance(row, str):
        return f"in `{row}`" + (f" at {list(inside)}" if inside else "")
    if not columns:
        return f"at {[row, *inside]}"
    is_cell = len(inside) == 1 and piece.array.shape[1] == len(columns)
    return f"in row {row}" + (f", column {columns[inside[0]]}" if is_cell else "")
