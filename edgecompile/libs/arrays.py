"""Write arrays that cross to another process; a full disk is told as what it is."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, bad_input

_FULL = (errno.ENOSPC, errno.EDQUOT)


def save_array(path: Path, array: Any) -> None:
    """``numpy.save`` without pickling. Raises BadInputError EC904 where there is no room for it."""
    try:
        np.save(path, array, allow_pickle=False)
    except OSError as error:
        # NumPy tells a short write by its text alone: "25920 requested and 4064 written".
        if error.errno is not None and not is_full(error):
            raise
        raise no_room(str(error)) from error


def is_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, is full."""
    return error.errno in _FULL


def no_room(said: str) -> EdgecompileError:
    """EC904, to be raised."""
    return bad_input(
        "EC904",
        "there is no room left for temporary files",
        location=tempfile.gettempdir(),
        notes=(f"the system says: {said}",),
        help=("make room there", "name a folder on another disk in the environment variable TMPDIR"),
    )
