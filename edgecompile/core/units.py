"""Sizes and durations as people write them, to and from plain numbers."""

from __future__ import annotations

import re

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(B|KB|KiB|K|MB|MiB|M|GB|GiB|G)?\s*$", re.IGNORECASE)
# 8 EiB: larger numbers do not fit into 64 bits.
_LARGEST_SIZE = 2**63 - 1
_FACTORS = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "k": 1024,
    "kib": 1024,
    "m": 1024**2,
    "mib": 1024**2,
    "g": 1024**3,
    "gib": 1024**3,
}


_DURATION = re.compile(r"^\s*(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*m(?:in)?)?\s*(?:(\d+(?:\.\d+)?)\s*s)?\s*$")


def parse_duration(text: str) -> float:
    """Seconds in a duration such as ``2h``, ``1h 30m``, ``90 min`` or ``45s``.

    Raises ValueError when the text is none, or none at all.
    """
    match = _DURATION.match(text)
    parts = match.groups() if match else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=False) if part)
    if not seconds:
        raise ValueError(f"`{text}` is not a duration such as `2h` or `90 min`")
    return seconds


def parse_size(text: str | int) -> int:
    """Bytes in a size such as ``64 KiB``, ``64K`` (binary), ``64 kB`` (decimal) or ``65536``.

    Raises ValueError when the text is no size or not a whole number of bytes.
    """
    if isinstance(text, bool):
        raise ValueError(f"`{text}` is not a size")
    if isinstance(text, int):
        if text < 0:
            raise ValueError(f"`{text}` is negative")
        return _held(text)
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"`{text}` is not a size such as `64 KiB`")
    size = float(match.group(1)) * _FACTORS[(match.group(2) or "B").lower()]
    if size != int(size):
        raise ValueError(f"`{text}` is not a whole number of bytes")
    return _held(int(size))


def _held(size: int) -> int:
    if size > _LARGEST_SIZE:
        raise ValueError(f"`{size}` bytes are more than any device has")
    return size


def format_size(size_bytes: int) -> str:
    """A size for people: bytes up to 10 000, else KiB with one decimal, MiB or GiB with two."""
    if size_bytes < 10_000:
        return f"{group(size_bytes)} B"
    if size_bytes < 1024**2:
        return f"{size_bytes / 1024:.1f} KiB"
    if size_bytes < 1024**3:
        return f"{size_bytes / 1024**2:.2f} MiB"
    return f"{size_bytes / 1024**3:.2f} GiB"


def format_duration(duration_s: float) -> str:
    """A duration for people: ``0.4 s``, ``12 s``, ``1 m 42 s``, ``2 h 05 m``."""
    if duration_s < 10:
        return f"{duration_s:.1f} s"
    if duration_s < 60:
        return f"{duration_s:.0f} s"
    minutes, seconds = divmod(round(duration_s), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    return f"{minutes} m {seconds:02d} s"


def group(number: int) -> str:
    """A count with a thin separator between thousands: ``24 452``."""
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A count of things in words: ``1 sample``, ``2 500 samples``, ``0 entries`` with an odd ``plural``."""
    return f"{group(number)} {noun if number == 1 else plural or f'{noun}s'}"
