"""What a data source gives: samples in splits, and a record of how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic

Array = np.ndarray[Any, Any]
PARTS = ("train", "validation", "calibration", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Where the samples of a split stand in the source.

    ``part`` is the source's own (``train`` of ``x_train``). ``rows``, one for each sample: its index in that part,
    the row of a table, or the name of a file. ``columns`` name those of a table that x is of.
    """

    part: str
    rows: Array
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Samples of one purpose, samples on the first axis of every array.

    ``x`` has one array for each input of the model. ``y`` is empty or has one array for each
    output: class indices ``int[n]`` (or ``int[n, h, w]`` for dense outputs), or whatever the
    source holds (one-hot rows, regression values). ``origin`` None: nobody said where the samples are from.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...] = ()
    origin: Origin | None = None

    def __len__(self) -> int:
        return len(self.x[0]) if self.x else 0

    def take(self, indices: Array | Sequence[int]) -> Split:
        """The samples at ``indices``, in that order."""
        chosen = np.asarray(indices, dtype=np.intp)
        origin = self.origin and replace(self.origin, rows=self.origin.rows[chosen])
        return Split(x=tuple(x[chosen] for x in self.x), y=tuple(y[chosen] for y in self.y), origin=origin)


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """What a reader found before preprocessing and splitting; absent parts are None.

    ``kind`` names the reader (``npz``, ``images``, ``wav``, ``csv``, ``python``). ``names`` and
    ``output_names`` are those the source gives its x and y arrays, or empty.
    """

    kind: str
    train: Split | None = None
    validation: Split | None = None
    calibration: Split | None = None
    test: Split | None = None
    labels: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """Preprocessed samples in splits that share none, but that calibration is drawn from train.

    ``labels`` are class names in the order of the class indices, or empty. ``description`` is
    plain JSON for the report: source, kind, preprocessing, sizes and origin of every split.
    """

    source: str
    kind: str
    train: Split | None = None
    validation: Split | None = None
    calibration: Split | None = None
    test: Split | None = None
    labels: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    description: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()

    def parts(self) -> tuple[tuple[str, Split], ...]:
        """The splits that are there, with their names."""
        found = ((name, getattr(self, name)) for name in PARTS)
        return tuple((name, split) for name, split in found if split is not None)
