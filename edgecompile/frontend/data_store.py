"""Carry a data set across processes: arrays as .npy files, the rest as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import from_dict
from edgecompile.core.project import DataSpec, Features, Preprocess
from edgecompile.frontend.data_set import DataSet, Origin, Split
from edgecompile.libs.arrays import save_array

_CARD = "data.json"


def save(data: DataSet, folder: Path) -> None:
    """Write ``data`` into ``folder`` (made when absent); :func:`restore` gives it back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in data.parts():
        for axis, arrays in (("x", part.x), ("y", part.y)):
            for index, array in enumerate(arrays):
                save_array(folder / f"{name}_{axis}_{index}.npy", array)
        if part.origin is not None:
            save_array(folder / f"{name}_rows.npy", part.origin.rows)
    card = {
        "source": data.source,
        "kind": data.kind,
        "parts": {name: [len(part.x), len(part.y)] for name, part in data.parts()},
        "origins": {name: [part.origin.part, part.origin.columns] for name, part in data.parts() if part.origin},
        "labels": data.labels,
        "names": data.names,
        "output_names": data.output_names,
        "description": data.description,
        "diagnostics": [diagnostic.to_dict() for diagnostic in data.diagnostics],
    }
    (folder / _CARD).write_text(json.dumps(card), encoding="utf-8")


def restore(folder: Path) -> DataSet:
    """The data set that :func:`save` wrote; arrays are mapped from the files, not copied into memory."""
    card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
    parts = {name: _split(folder, name, counts, card["origins"].get(name)) for name, counts in card["parts"].items()}
    return DataSet(
        source=card["source"],
        kind=card["kind"],
        labels=tuple(card["labels"]),
        names=tuple(card["names"]),
        output_names=tuple(card["output_names"]),
        description=card["description"],
        diagnostics=tuple(from_dict(plain) for plain in card["diagnostics"]),
        **parts,
    )


def spec_from(plain: Mapping[str, Any]) -> DataSpec:
    """The inverse of ``dataclasses.asdict`` for a :class:`DataSpec`, also after a trip through JSON."""
    given: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in dict(plain["preprocess"]).items()
    }
    features = Features(**plain["features"])
    return DataSpec(**{**plain, "preprocess": Preprocess(**given), "features": features})


def _split(folder: Path, name: str, counts: tuple[int, int], origin: tuple[str, Sequence[str]] | None) -> Split:
    x, y = (
        tuple(_load(folder / f"{name}_{axis}_{index}.npy") for index in range(count))
        for axis, count in zip("xy", counts, strict=True)
    )
    if origin is None:
        return Split(x=x, y=y)
    part, columns = origin
    return Split(x=x, y=y, origin=Origin(part=part, rows=_load(folder / f"{name}_rows.npy"), columns=tuple(columns)))


def _load(path: Path) -> np.ndarray[Any, Any]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)
