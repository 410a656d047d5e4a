"""What follows the flatbuffer in a file: nothing, or TFLite metadata's zip of associated files.

Zip tools record where each entry is from the beginning of the *file*, so a zip behind a
flatbuffer must be renumbered when the flatbuffer's length changes. A network holds the zip as
a file of its own (``zipfile.ZipFile(io.BytesIO(network.trailer))`` opens it).
Source of the record layouts: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENTRY_MAGIC = b"PK\x01\x02"
_RECORDED = 16
_LONGEST_COMMENT = 65535


def detach(trailer: bytes) -> bytes:
    """What followed a flatbuffer, as a file of its own, whether its offsets were the file's or the zip's own."""
    found = _directory(trailer)
    return trailer if found is None else _shift(trailer, found, found.first - found.recorded)


def attach(trailer: bytes, start: int) -> bytes:
    """The trailer of a network, to be put at ``start`` of a file. Inverse of :func:`detach`."""
    found = _directory(trailer)
    return trailer if found is None or found.first != found.recorded else _shift(trailer, found, start)


class _Directory(NamedTuple):
    """A zip's list of entries: where it begins and ends, and where the zip says that it begins."""

    first: int
    end: int
    recorded: int


def _directory(trailer: bytes) -> _Directory | None:
    end = trailer.rfind(_END_MAGIC, max(0, len(trailer) - _END.size - _LONGEST_COMMENT))
    if end < 0 or end + _END.size > len(trailer):
        return None
    size, recorded = _END.unpack_from(trailer, end)[5:7]
    return None if size > end else _Directory(end - size, end, recorded)


def _shift(trailer: bytes, directory: _Directory, by: int) -> bytes:
    """Add to all offsets of a zip; unchanged where they would leave their 32 bits, or it is no zip after all."""
    out, at = bytearray(trailer), directory.first
    while at < directory.end:
        if at + _ENTRY.size > directory.end:
            return trailer
        entry = list(_ENTRY.unpack_from(out, at))
        entry[-1] += by
        if entry[0] != _ENTRY_MAGIC or not 0 <= entry[-1] < 2**32:
            return trailer
        _ENTRY.pack_into(out, at, *entry)
        at += _ENTRY.size + entry[10] + entry[11] + entry[12]
    if at != directory.end or not 0 <= directory.recorded + by < 2**32:
        return trailer
    struct.pack_into("<L", out, directory.end + _RECORDED, directory.recorded + by)
    return bytes(out)
