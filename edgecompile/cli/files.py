"""Files that a command writes beside what it prints: whole or not at all, and in place of files alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgecompile.core.errors import bad_input

_HELP = "name a file in a folder that is there and may be written"


def demand_place(*names: str | None) -> None:
    """Raises EC803 for the first of these files that could not be written, before the work that it would be about."""
    for name in (one for one in names if one is not None):
        folder = os.path.dirname(os.path.realpath(name))
        reason = None
        if os.path.isdir(name):
            reason = "is a directory"
        elif not os.path.isdir(folder):
            reason = f"there is no folder `{folder}`"
        elif not os.access(name if os.path.exists(name) else folder, os.W_OK):
            reason = "permission denied"
        if reason is not None:
            raise bad_input("EC803", f"`{name}` cannot be written: {reason}", name, help=(_HELP,))


def write_file(name: str, text: str) -> None:
    """Write the text; a pipe or a device is given it as it is. Raises EC803 where that is not possible."""
    try:
        if os.path.exists(name) and not os.path.isfile(name):
            Path(name).write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        with beside(name) as part:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
    except (OSError, ValueError) as error:
        reason = ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
        raise bad_input("EC803", f"`{name}` cannot be written: {reason}", name, help=(_HELP,)) from error


@contextmanager
def beside(name: str) -> Iterator[Path]:
    """A name beside the file, for what takes its place behind the block; of a link, the place that it leads to.

    Raises OSError, also where the place is there and no file: it would be gone.
    """
    place = Path(os.path.realpath(name))
    if place.exists() and not place.is_file():
        raise OSError(0, "is a directory" if place.is_dir() else "it is a pipe or a device, not a file")
    part = place.with_name(f".{place.name}.part")
    try:
        yield part
        os.replace(part, place)
    finally:
        part.unlink(missing_ok=True)
