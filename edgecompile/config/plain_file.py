"""Read a small file that a user named, and nothing that waits or never ends."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# Settings, recipes, profiles and class names take kilobytes.
MOST_BYTES = 16 << 20
_KINDS = {
    stat.S_IFIFO: "it is a named pipe, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}


def read_plain(path: Path) -> bytes:
    """The file's content. Raises OSError, its ``strerror`` saying why, also for what is no file, and for a huge one."""
    found = path.stat()
    kind = _KINDS.get(stat.S_IFMT(found.st_mode))
    if kind is not None and not os.path.samestat(found, os.stat(os.devnull)):
        raise OSError(errno.EINVAL, kind)
    if found.st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, and {MOST_BYTES} are the most")
    return path.read_bytes()
