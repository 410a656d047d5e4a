"""Reads an HDF5 file in a process that may die, before it is read in one that may not.

HDF5's library does not come to an end on some damaged files (a heap of texts in which an object of no size follows
another), and no exception, signal handler or interrupt of Python's reaches it there.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import BadInputError
from edgecompile.frontend.hdf5_links import held_in, refuse_links
from edgecompile.libs import child

# Of the processor's time: 2,000 arrays of 500 layers take about a second of it.
LIMIT_S = 30


def withstand(path: Path, kind: str, name: str) -> None:
    """Nothing where HDF5 reads what lies in an .h5 file or in those of an archive.

    Raises EC206 for weights that lie elsewhere or are far more than the file holds, EC201 for damage.
    """
    if next(_files(path, kind), None) is None:
        return
    crash = child.Crash(
        code="EC201",
        message=f"`{name}` is damaged, and HDF5's library does not withstand it",
        help=("copy it again",),
        location=Location(file=name),
        error=BadInputError,
    )
    arguments = {"path": str(path), "kind": kind, "name": name, "limit_s": LIMIT_S}
    child.call("edgecompile.frontend.hdf5_trial:read", arguments, crash=crash)


def read(path: str, kind: str, name: str, limit_s: int) -> None:
    """In the child, which is ended after so much work: all that Keras would read, but for arrays in one piece."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + limit_s
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    for file in _files(Path(path), kind):
        refuse_links(file, name)
        _read(file)


def _files(path: Path, kind: str) -> Iterator[Path | BinaryIO]:
    if kind == "h5":
        yield path
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".h5"):
                yield io.BytesIO(archive.read(member))


def _read(file: Path | BinaryIO) -> None:
    """What cannot be read is told by those who need it; here it only ends."""
    import h5py

    with suppress(OSError, RuntimeError, KeyError), h5py.File(file, "r") as opened:
        for held in (opened, *(held for _, held in held_in(opened))):
            with suppress(OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError):
                list(held.attrs.items())
                if isinstance(held, h5py.Dataset) and held.chunks:
                    held[()]
