"""Class names: from the source, from a labels file, or from the texts that stand where indices should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.config.plain_file import read_plain
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.project import DataSpec
from edgecompile.frontend.data_set import PARTS, Array, Raw, Split


def name_classes(raw: Raw, spec: DataSpec, base: Path) -> Raw:
    """Class names in the order of the indices, and the first y as indices where it holds texts.

    Order: the labels file's, else the source's own, else sorted. ``y`` of shape ``int[n, 1]``
    becomes ``int[n]``. Raises BadInputError EC284 when the labels file cannot be read or does
    not name a class that the data has.
    """
    named = read_labels(base / spec.labels) if spec.labels else ()
    texts = _texts(raw)
    if raw.kind in ("images", "wav"):
        order = named or raw.labels
        return _reindex(raw, order, raw.labels, spec)
    order = named or raw.labels or texts
    parts: dict[str, Any] = {name: _mapped(getattr(raw, name), order, spec) for name in PARTS}
    return replace(raw, labels=order, **parts)


def labels_of(spec: DataSpec, base: Path) -> tuple[str, ...]:
    """Class names of a build without data: those of the labels file, if one is named. Raises BadInputError EC284."""
    return read_labels(base / spec.labels) if spec.labels else ()


def read_labels(path: Path) -> tuple[str, ...]:
    """One class name a line, empty lines passed over. Raises BadInputError EC284."""
    try:
        lines = read_plain(path).decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text in UTF-8"
        raise bad_input(
            "EC284",
            f"the labels file `{path.name}` cannot be read: {reason.lower()}",
            str(path),
            help=("write one class name a line, in the order of the class indices",),
        ) from None
    names = tuple(line.strip() for line in lines if line.strip())
    twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 10_000 else []
    if twice or not names:
        found = f"`{twice[0]}` more than once" if twice else "no name at all"
        raise bad_input("EC284", f"the labels file `{path.name}` holds {found}", str(path))
    return names


def _texts(raw: Raw) -> tuple[str, ...]:
    found: set[str] = set()
    for name in PARTS:
        part: Split | None = getattr(raw, name)
        if part is not None and part.y and part.y[0].dtype.kind in "US":
            found.update(np.unique(part.y[0].astype(str)).tolist())
    return tuple(sorted(found))


def _mapped(part: Split | None, order: tuple[str, ...], spec: DataSpec) -> Split | None:
    if part is None or not part.y:
        return part
    return replace(part, y=tuple(_indices(y, order, spec) for y in part.y))


def _indices(y: Array, order: tuple[str, ...], spec: DataSpec) -> Array:
    if y.dtype.kind in "US":
        index = {name: position for position, name in enumerate(order)}
        texts = y.astype(str).reshape(-1)
        for text in np.unique(texts).tolist():
            _demand(text, order, spec)
        return np.asarray([index[text] for text in texts.tolist()], dtype=np.int64)
    return y.reshape(-1) if y.dtype.kind in "iu" and y.ndim == 2 and y.shape[1] == 1 else y


def _reindex(raw: Raw, order: tuple[str, ...], found: tuple[str, ...], spec: DataSpec) -> Raw:
    """Folder names are the classes: put their indices in the labels file's order."""
    if order == found:
        return raw
    for name in found:
        _demand(name, order, spec)
    table = np.asarray([order.index(name) for name in found], dtype=np.int64)
    parts: dict[str, Any] = {}
    for name in PARTS:
        part: Split | None = getattr(raw, name)
        parts[name] = part and replace(part, y=tuple(table[y] for y in part.y))
    return replace(raw, labels=order, **parts)


def _demand(name: str, order: tuple[str, ...], spec: DataSpec) -> None:
    if name not in order:
        raise bad_input(
            "EC284",
            f"the data has a class `{name}` that the labels do not name",
            Location(file=spec.labels or spec.source, detail=f"class `{name}`"),
            notes=(f"{len(order)} classes are named: {', '.join(order[:12])}",),
            help=did_you_mean(name, order) or ("add it to the labels, or take the class out of the data",),
        )
