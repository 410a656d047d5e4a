"""One folder for all temporary files of a run, which the next run removes where this one was killed.

A folder holds a file that its run keeps locked: the system gives the lock back however the run ends, so a folder whose
lock can be taken is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgecompile.core.errors import bad_input

_PREFIX = "edgecompile-run-"
_LOCK = ".lock"
_TRIES = 8


@contextmanager
def scratch() -> Iterator[None]:
    """Within it ``tempfile`` makes its files in a folder that goes with the run; folders of killed runs go now.

    Raises BadInputError EC107 where nothing temporary can be written anywhere.
    """
    usual = tempfile.tempdir
    place = _usual_place()
    try:
        sweep(place)
        folder, descriptor = _held(place)
    except OSError:
        yield
        return
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = usual
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _usual_place() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise bad_input(
            "EC107",
            "no folder for temporary files can be written",
            notes=(error.strerror or str(error),),
            help=("make room in one of them, or name another folder in TMPDIR",),
        ) from None


def sweep(place: Path) -> None:
    """Remove the folders of this user's runs that ended without doing so; safe beside runs that go on."""
    with suppress(OSError):
        for folder in place.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                _remove_abandoned(folder)


def _held(place: Path) -> tuple[Path, int]:
    """A new folder, and the descriptor that locks it. Another run may sweep it between the two: then another one."""
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with suppress(OSError):  # held by a sweeper for a moment, or a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if (folder / _LOCK).exists():
                return folder, descriptor
            os.close(descriptor)
    raise FileNotFoundError(f"no folder stays in {place}")


def _remove_abandoned(folder: Path) -> None:
    """Not one of another user's, no link, and none that has no lock yet: its run is just making it."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
