"""Put a finished folder in the place of another in one step, or in two with a way back."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

_AT_FDCWD = -100  # linux/fcntl.h
_RENAME_EXCHANGE = 2  # linux/fs.h


def beside(place: Path, purpose: str) -> Path:
    """A hidden name in the same folder, and so on the same file system."""
    return place.with_name(f".{place.name}.edgecompile-{purpose}")


def put_in_place(staging: Path, place: Path) -> None:
    """``staging`` becomes ``place``; what was there before is removed. Interrupted, the old or the new is there.

    With renameat2 (Linux, most file systems) there is no moment without a folder. Elsewhere the
    old one is set aside first, and put back when the second step fails or, after a crash, by :func:`recover`.
    """
    if not place.exists():
        os.rename(staging, place)
    elif exchange(staging, place):
        remove_tree(staging)
    else:
        _in_two_steps(staging, place)


def recover(place: Path) -> None:
    """Put right what an interrupted build left behind."""
    previous, staging = beside(place, "previous"), beside(place, "staging")
    if previous.exists():
        if place.exists():
            remove_tree(previous)
        else:
            os.rename(previous, place)
    remove_tree(staging)


def exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; False where system or file system cannot."""
    function = _renameat2()
    if function is None:
        return False
    return bool(function(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0)


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours if it is there, also where the user made parts of it read-only."""

    def again(function: Callable[..., Any], path: str, error: object) -> None:
        with suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            os.chmod(path, stat.S_IRWXU)
            function(path)

    if folder.is_dir():
        shutil.rmtree(folder, onerror=again)


def _in_two_steps(staging: Path, place: Path) -> None:
    previous = beside(place, "previous")
    try:
        os.rename(place, previous)
        os.rename(staging, place)
    except BaseException:
        if not place.exists() and previous.exists():
            os.rename(previous, place)
        raise
    remove_tree(previous)


def _renameat2() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    function: Callable[..., int] | None = getattr(ctypes.CDLL(None), "renameat2", None)  # glibc 2.28, musl 1.2.5
    return function
