"""What the system says when it refuses to write, as diagnostics."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import format_size


@contextmanager
def told(place: Path, option: str = "--output") -> Iterator[None]:
    """Within it an OSError about ``place``, named by ``option``, becomes a BadInputError: EC630 to EC633, else EC635.

    Errors about other files pass; a full disk counts wherever it shows, as the system does not say which.
    """
    try:
        yield
    except OSError as error:
        if not _concerns(error, place):
            raise
        raise of(error, place, option) from error


def of(error: OSError, place: Path, option: str = "--output") -> EdgecompileError:
    """The diagnostic for what the system refused."""
    elsewhere = f"name another folder with `{option}`"
    where, said = str(error.filename or place), (error.strerror or str(error)).lower()
    code = error.errno
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        help = (f"give permission to write in `{_existing(place)}`", elsewhere)
        return bad_input("EC630", "the output folder cannot be written", where, (f"the system says: {said}",), help)
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        notes = (f"the system says: {said}", *_space(place))
        return bad_input("EC631", "there is no room left for the output", where, notes, ("make room", elsewhere))
    if code in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        notes = ("found: a file where a folder is needed, or a folder where a file is",)
        return bad_input("EC632", "something is in the way of the output", where, notes, ("move it away", elsewhere))
    if code in (errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ, errno.EINVAL):
        notes = (f"the system says: {said}", f"found: {len(os.fsencode(place))} bytes, the last part has "
                 f"{len(os.fsencode(place.name))}; while building a part of at most 230 bytes is needed")  # fmt: skip
        return bad_input("EC633", "the output folder has a name that cannot be used", where[:300], notes, (elsewhere,))
    return bad_input("EC635", "the output could not be written", where, (f"the system says: {said}",), (elsewhere,))


def _concerns(error: OSError, place: Path) -> bool:
    if error.filename is None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    file = Path(os.path.abspath(os.fsdecode(error.filename)))
    return place.parent in (file, *file.parents) or file in place.parents


def _space(place: Path) -> tuple[str, ...]:
    """Room at the destination, and for temporary files, whichever of the two was meant."""
    notes = []
    for name, folder in (("at the output", _existing(place)), ("for temporary files", Path(tempfile.gettempdir()))):
        try:
            notes.append(f"free {name} (`{folder}`): {format_size(shutil.disk_usage(folder).free)}")
        except OSError:
            continue
    return tuple(notes)


def _existing(place: Path) -> Path:
    return next((folder for folder in place.parents if folder.is_dir()), Path("/"))
