"""The UF2 file format: raw bytes in blocks that say where they belong.

"UF2 file format" (Microsoft, MIT licence text of the format's repository): blocks of 512 bytes with 256 of payload.
"""

from __future__ import annotations

import struct

BLOCK, PAYLOAD = 512, 256
_MAGIC_0, _MAGIC_1, _MAGIC_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_FAMILY_PRESENT = 0x00002000


def write(content: bytes, address: int, family: int) -> bytes:
    """``content`` for ``address`` on, padded with zeros to whole blocks, for chips of ``family``."""
    parts = [content[at : at + PAYLOAD] for at in range(0, len(content), PAYLOAD)]
    return b"".join(_block(part, address + i * PAYLOAD, i, len(parts), family) for i, part in enumerate(parts))


def _block(part: bytes, address: int, number: int, count: int, family: int) -> bytes:
    head = struct.pack("<8I", _MAGIC_0, _MAGIC_1, _FAMILY_PRESENT, address, PAYLOAD, number, count, family)
    return head + part.ljust(BLOCK - len(head) - 4, b"\0") + struct.pack("<I", _MAGIC_END)
