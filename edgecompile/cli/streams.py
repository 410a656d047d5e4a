"""Standard streams that may be closed, piped away, or unable to print what we say."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TextIO

# What a machine may refuse at any write, whoever wrote: these are told as such and not taken for a bug of ours.
EXPECTED_FAULTS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE}
)
# What a path may be that leads nowhere on any machine: a name that is too long, links that lead back to themselves.
IMPOSSIBLE_PATHS = frozenset({errno.ENAMETOOLONG, errno.ELOOP})


def fill_closed_descriptors() -> None:
    """Occupy descriptors 0 to 2 where the caller closed them, so that no file of ours ends up being one of them."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


def prepare(stream: TextIO | None) -> TextIO | None:
    """The stream, made to escape what its encoding lacks instead of failing; None where it is closed."""
    if stream is not None and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream


def is_terminal(stream: TextIO | None) -> bool:
    """A person may be looking at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed by the program that embeds us
        return False


def silence_broken_pipe() -> None:
    """Flush the standard streams; where nobody listens any more, let Python's own last flush go nowhere."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
