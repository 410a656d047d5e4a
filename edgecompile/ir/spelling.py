"""Names from a file as text that is safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what is no UTF-8 replaced, and control characters (a terminal obeys some) escaped."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in readable)


def shorten(text: str, width: int) -> str:
    """The text, or its beginning and, as it tells most of a tensor's name, twice as much of its end, dots between."""
    if len(text) <= width:
        return text
    first = max(0, width - 3) // 3
    return f"{text[:first]}...{text[len(text) - (width - 3 - first) :]}"
