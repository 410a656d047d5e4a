"""Read a folder by class: one sub-folder a class, images or WAV files in it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.project import DataSpec
from edgecompile.core.units import counted
from edgecompile.frontend import data_images, data_wav
from edgecompile.frontend.data_set import Array, Origin, Raw, Split

# Names people give to the folders of ready-made splits.
_PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
    "calibration": "calibration",
}
_READERS: dict[str, tuple[frozenset[str], Callable[[list[Path], Path, DataSpec, str], Array]]] = {
    "images": (data_images.SUFFIXES, data_images.read),
    "wav": (data_wav.SUFFIXES, data_wav.read),
}


def read(folder: Path, spec: DataSpec, source: str) -> Raw:
    """Samples of a folder of classes, or of ``train/``, ``test/``, ``validation/``, ``calibration/`` of classes.

    Class indices follow the sorted folder names; names that open with ``.`` or ``_`` are passed
    over. Samples alternate between the classes, so that the head of a split holds all of them.
    Raises BadInputError EC261 when there are no classes or files of one kind, and what
    ``data_images`` and ``data_wav`` raise.
    """
    ready = {_PARTS[sub.name.lower()]: sub for sub in _folders(folder) if sub.name.lower() in _PARTS and _folders(sub)}
    places = ready or {"train": folder}
    labels = tuple(sorted({sub.name for place in places.values() for sub in _folders(place)}))
    if not labels:
        raise _no_classes(folder, source)
    listed = {part: _files(place, labels) for part, place in places.items()}
    kind = _kind([path for files in listed.values() for path, _ in files], source)
    suffixes, reader = _READERS[kind]
    chosen = {part: [(p, c) for p, c in files if p.suffix.lower() in suffixes] for part, files in listed.items()}
    everything = [path for files in chosen.values() for path, _ in files]
    x, counts = reader(everything, folder, spec, source), [len(files) for files in chosen.values()]
    parts: dict[str, Any] = {}
    start = 0
    for (part, files), count in zip(chosen.items(), counts, strict=True):
        y = np.asarray([index for _, index in files], dtype=np.int64)
        origin = Origin(part=part, rows=np.asarray([str(path.relative_to(folder)) for path, _ in files]))
        parts[part] = Split(x=(x[start : start + count],), y=(y,), origin=origin)
        start += count
    passed_over = sum(len(files) for files in listed.values()) - len(everything)
    return Raw(kind=kind, labels=labels, facts={"files": len(everything), "files_passed_over": passed_over}, **parts)


def _folders(place: Path) -> list[Path]:
    return sorted(sub for sub in place.iterdir() if sub.is_dir() and not sub.name.startswith((".", "_")))


def _files(place: Path, labels: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Files with the index of their class, the classes taking turns."""
    by_class = []
    for index, name in enumerate(labels):
        inside = sorted((place / name).rglob("*")) if (place / name).is_dir() else []
        by_class.append([(path, index) for path in inside if path.is_file() and not path.name.startswith(".")])
    return [entry for turn in zip_longest(*by_class) for entry in turn if entry is not None]


def _kind(files: list[Path], source: str) -> str:
    counts = {kind: sum(path.suffix.lower() in suffixes for path in files) for kind, (suffixes, _) in _READERS.items()}
    found = [kind for kind, count in counts.items() if count]
    if len(found) == 1:
        return found[0]
    if found:
        reason = f"it holds {counted(counts['images'], 'image')} and {counted(counts['wav'], 'WAV file')}"
    else:
        seen = sorted({path.suffix.lower() or "no suffix" for path in files})
        reason = f"found {', '.join(seen[:8])}" if seen else "its class folders are empty"
    raise bad_input(
        "EC261",
        f"the folder `{source}` is not all images or all WAV files",
        source,
        notes=(reason, f"read as images: {', '.join(sorted(data_images.SUFFIXES))}"),
        help=("put files of one kind into one sub-folder for each class",),
    )


def _no_classes(folder: Path, source: str) -> EdgecompileError:
    count = sum(1 for path in folder.iterdir() if path.is_file())
    return bad_input(
        "EC261",
        f"the folder `{source}` has no sub-folders, which would be the classes",
        Location(file=source),
        notes=(f"found: {counted(count, 'file')} and no sub-folder",),
        help=("sort the files into one sub-folder for each class, as in `images/cat/1.png`",),
    )
