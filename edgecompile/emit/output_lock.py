"""One build at a time for each output folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.emit.output_swap import beside

_LOOK_AGAIN_S = 0.05


@contextmanager
def locked(place: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock of ``place``; it ends with the process, however that ends.

    Raises BadInputError EC634 when another build holds it for longer than ``wait_s``.
    """
    path = beside(place, "lock")
    descriptor = _acquire(path, place, time.monotonic() + wait_s, wait_s)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who waits for it sees that the file is no longer the one it opened
        os.close(descriptor)


def _acquire(path: Path, place: Path, deadline: float, wait_s: float) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            if time.monotonic() >= deadline:
                raise
            path.parent.mkdir(parents=True, exist_ok=True)  # another build took it away, as it was empty
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise _held(place, holder, wait_s) from None
            time.sleep(_LOOK_AGAIN_S)
            continue
        except OSError:  # a file system without locks: better to build than to refuse
            return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        if _is_still(path, descriptor):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _held(place: Path, holder: str, wait_s: float) -> EdgecompileError:
    who = f"by process {holder}" if holder else "by another process"
    return bad_input(
        "EC634",
        "another build is writing this folder",
        str(place),
        notes=(f"it is held {who}; waited {wait_s:g} s",),
        help=("wait for it to end, or name another folder with `--output`",),
    )
