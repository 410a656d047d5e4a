"""What follows the flatbuffer in a file: nothing, or TFLite metadata's zip of associated files.

Zip tools record where each entry is from the beginning of the *file*, so a zip behind a
flatbuffer must be renumbered when the flatbuffer's length changes. A network holds the zip as
a file of its own (``zipfile.ZipFile(io.BytesIO(network.trailer))`` opens it).
Source of the record layouts: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct

_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENTRY_MAGIC = b"PK\x01\x02"
_LONGEST_COMMENT = 65535


def detach(trailer: bytes, start: int) -> bytes:
    """The trailer that began at ``start`` of a file, as a file of its own."""
    return _shift(trailer, -start, start)


def attach(trailer: bytes, start: int) -> bytes:
    """The trailer of a network, to be put at ``start`` of a file. Inverse of :func:`detach`."""
    return _shift(trailer, start, 0)


def _shift(trailer: bytes, by: int, base: int) -> bytes:
    """Add ``by`` to the offsets of a zip that are counted from ``base`` bytes before it; else leave all as it is."""
    at = trailer.rfind(_END_MAGIC, max(0, len(trailer) - _END.size - _LONGEST_COMMENT))
    if at < 0 or at + _END.size > len(trailer):
        return trailer
    magic, disks, entries, size, offset, comment = _end(trailer, at)
    first = at - size
    if first < 0 or offset - base != first or offset + by < 0:
        return trailer
    out = bytearray(trailer)
    if not _shift_entries(out, first, at, by):
        return trailer
    _END.pack_into(out, at, magic, *disks, *entries, size, offset + by, comment)
    return bytes(out)


def _end(trailer: bytes, at: int) -> tuple[bytes, tuple[int, int], tuple[int, int], int, int, int]:
    magic, disk, first_disk, here, total, size, offset, comment = _END.unpack_from(trailer, at)
    return magic, (disk, first_disk), (here, total), size, offset, comment


def _shift_entries(out: bytearray, at: int, end: int, by: int) -> bool:
    """Shift each entry of the central directory; False when it is not one."""
    while at < end:
        if at + _ENTRY.size > end:
            return False
        entry = list(_ENTRY.unpack_from(out, at))
        entry[-1] += by
        if entry[0] != _ENTRY_MAGIC or not 0 <= entry[-1] < 2**32:
            return False
        _ENTRY.pack_into(out, at, *entry)
        at += _ENTRY.size + entry[10] + entry[11] + entry[12]
    return at == end
