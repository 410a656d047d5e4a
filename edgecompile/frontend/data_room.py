"""Samples that would take more memory than this machine has are told before any is set apart for them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import format_size


def demand_room(shape: Sequence[int], dtype: str, source: str, help: str) -> None:
    """Raises BadInputError EC288 for an array that does not fit into all the memory of this machine."""
    wanted, most = math.prod(shape) * np.dtype(dtype).itemsize, _memory_bytes()
    if wanted > most:
        note = f"limit: {format_size(most)}, all of this machine; found: samples of {format_size(wanted)}"
        raise no_room(source, note, help)


def no_room(source: str, note: str, help: str) -> EdgecompileError:
    """EC288, to be raised."""
    return bad_input(
        "EC288",
        "the samples take more memory than there is",
        Location(file=source, detail="[data]"),
        notes=(note,),
        help=(help, "or give fewer samples"),
    )


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
