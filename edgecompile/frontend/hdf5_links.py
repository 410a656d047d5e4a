"""Refuses HDF5 files whose weights lie elsewhere, or are far more than the file holds.

A link to another file would carry its content into the model, and Keras reads arrays before it looks at their shapes.

HDF5 follows links to other files, and datasets may keep their bytes in files of any name, when they are read (HDF5
User's Guide, "External Links", "External Files" and "Virtual Datasets"); Keras never writes either.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import format_size
from edgecompile.frontend.archive import MAX_RATIO, RATIO_COUNTS_FROM_BYTES
from edgecompile.ir.spelling import printable

_SHOWN = 80
# A group can hold itself by a hard link, and others can be nested for ever; Keras nests as deep as models do.
_MOST_OBJECTS = 1_000_000


def refuse_links(file: Path | BinaryIO, name: str) -> None:
    """Nothing where all that the file holds lies in it, and takes no more memory than a model's may.

    Raises EC206, or EC201 where HDF5 cannot read it.
    """
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            found = next(_elsewhere(opened), None)
            unpacked, stored = (0, 0) if found else _sizes(opened)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as reason:
        note = f"HDF5 says: {printable(str(reason)[:200])}"
        raise bad_input("EC201", f"`{name}` is truncated or damaged", name, (note,), ("copy it again",)) from None
    if found is not None:
        raise _refused(name, *found)
    if unpacked > RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * max(stored, 1):
        raise _far_more(name, unpacked, stored)


def held_in(opened: Any) -> Iterator[tuple[str, Any]]:
    """Groups, arrays and links to other files below all groups, each group once."""
    import h5py

    waiting: list[Any] = [opened]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_OBJECTS:
        group = waiting.pop()
        place = h5py.h5o.get_info(group.id).addr
        if place in seen:
            continue
        seen.add(place)
        for key in group:
            link = group.get(key, getlink=True)
            held = group[key] if isinstance(link, h5py.HardLink) else link
            if isinstance(held, h5py.Group):
                waiting.append(held)
            if isinstance(held, h5py.Group | h5py.Dataset | h5py.ExternalLink):
                yield f"{group.name}/{key}", held


def _elsewhere(opened: Any) -> Iterator[tuple[str, str]]:
    """Names of what is read from other files, and those files."""
    import h5py

    for name, held in held_in(opened):
        if isinstance(held, h5py.ExternalLink):
            yield name, held.filename
        elif isinstance(held, h5py.Dataset):
            yield from _stored_elsewhere(held)


def _sizes(opened: Any) -> tuple[int, int]:
    """Bytes that all arrays take in memory, an array of several names once for each, and those that the file stores."""
    import h5py

    arrays = [held for _, held in held_in(opened) if isinstance(held, h5py.Dataset)]
    stored = {h5py.h5o.get_info(held.id).addr: held.id.get_storage_size() for held in arrays}
    return sum(int(held.nbytes) for held in arrays), sum(stored.values())


def _stored_elsewhere(dataset: Any) -> Iterator[tuple[str, str]]:
    for other in dataset.external or ():
        yield dataset.name, str(other[0])
    if dataset.is_virtual:
        yield dataset.name, str(next(iter(dataset.virtual_sources())).file_name)


def _refused(name: str, place: str, other: str) -> EdgecompileError:
    return bad_input(
        "EC206",
        f"weights of `{name}` would be read from another file",
        name,
        (
            f"`{printable(_end(place))}` refers to `{printable(_end(other))}`",
            "limit: all that a model holds lies in its file",
        ),
        ("save the model again with Keras; do not trust the file unless you know where it is from",),
    )


def _far_more(name: str, unpacked: int, stored: int) -> EdgecompileError:
    return bad_input(
        "EC206",
        f"`{name}` unpacks to far more than it holds",
        name,
        (
            f"limit {MAX_RATIO} unpacked bytes for each stored one; found {format_size(unpacked)} in memory, "
            f"{format_size(stored)} stored",
        ),
        ("save the model again with Keras; do not trust the file unless you know where it is from",),
    )


def _end(path: str) -> str:
    """The end of a path, which tells more than its beginning."""
    return path if len(path) <= _SHOWN else f"...{path[-_SHOWN:]}"
