"""A file that a command writes beside what it prints."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.errors import bad_input


def write_file(name: str, text: str) -> None:
    """Write the text. Raises EC803 where that is not possible."""
    try:
        Path(name).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
        raise bad_input(
            "EC803",
            f"`{name}` cannot be written: {reason}",
            name,
            help=("name a file in a folder that is there and may be written",),
        ) from error
