"""Reads an HDF5 file's first bytes: where it starts and how long it ought to be."""

from __future__ import annotations

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_STARTS = (0, 512, 1024, 2048, 4096, 8192, 16384, 32768)


def hdf5_offset(head: bytes) -> int | None:
    """Where the superblock starts (0, or behind a user block of 512 times a power of two), None: no HDF5."""
    return next((start for start in _STARTS if head[start : start + 8] == HDF5_SIGNATURE), None)


def missing_bytes(head: bytes, size_bytes: int) -> int:
    """Bytes that the superblock's end-of-file address promises and the file lacks; 0: whole.

    Source: HDF5 File Format Specification 3.0, section II.A (superblock versions 0 to 3).
    """
    start = hdf5_offset(head)
    if start is None:
        return 0
    block = head[start:]
    if len(block) < 96:
        return 96 - len(block)
    version = block[8]
    width, first = (block[13], 24 if version == 0 else 28) if version < 2 else (block[9], 12)
    if version > 3 or width not in (2, 4, 8):
        return 0
    # Addresses in order: base, free space (or extension), end of file; all relative to the base.
    end_at = first + 2 * width
    end_of_file = int.from_bytes(block[end_at : end_at + width], "little")
    return max(0, start + end_of_file - size_bytes)
