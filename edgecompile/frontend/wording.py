"""What an exception of a library says, as one line for a note."""

from __future__ import annotations

# Keras puts this in front of what went wrong.
_WRAPPED = "Exception encountered"


def first_line(reason: BaseException) -> str:
    """The first line that tells something, or the exception's class where none does."""
    lines = [line.strip() for line in str(reason).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith(_WRAPPED)), lines[0] if lines else type(reason).__name__)
