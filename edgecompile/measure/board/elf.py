"""What an ELF image of firmware takes in flash and RAM, and where its functions are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

# "Executable and Linking Format (ELF)", Tool Interface Standard 1.2: sh_type and sh_flags; st_info.
_SYMBOLS, _NO_BITS = 2, 8
_WRITE, _ALLOCATED = 1, 2
_OBJECT, _FUNCTION = 1, 2
_STACK = ".stack"


@dataclass(frozen=True, kw_only=True)
class Image:
    """Bytes of flash (code, constants, initial values of data) and RAM (data and bss; no stack); what has a name.

    ``functions``: name to address, without the Thumb bit. ``sizes``: bytes of functions and objects by name, equal
    names of several files added up.
    """

    flash_bytes: int
    ram_bytes: int
    functions: dict[str, int]
    sizes: dict[str, int]


def read(path: Path) -> Image:
    """A 32-bit little-endian ELF. Raises ValueError for anything else."""
    content = path.read_bytes()
    if content[:6] != b"\x7fELF\x01\x01":
        raise ValueError(f"{path.name} is no 32-bit little-endian ELF")
    try:
        sections = _sections(content)
    except struct.error as error:
        raise ValueError(f"{path.name} is cut off: {error}") from error
    functions, sizes = _symbols(content, sections)
    allocated = [s for s in sections if s.flags & _ALLOCATED and s.name != _STACK]
    return Image(
        flash_bytes=sum(s.size for s in allocated if s.kind != _NO_BITS),
        ram_bytes=sum(s.size for s in allocated if s.flags & _WRITE or s.kind == _NO_BITS),
        functions=functions,
        sizes=sizes,
    )


@dataclass(frozen=True, kw_only=True)
class _Section:
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int


def _sections(content: bytes) -> list[_Section]:
    start, size, count, names = *struct.unpack_from("<I", content, 32), *struct.unpack_from("<HHH", content, 46)
    rows = [struct.unpack_from("<10I", content, start + index * size) for index in range(count)]
    if not rows:
        return []
    table = rows[names][4]
    return [
        _Section(name=_text(content, table + r[0]), kind=r[1], flags=r[2], offset=r[4], size=r[5], link=r[6])
        for r in rows
    ]


def _symbols(content: bytes, sections: list[_Section]) -> tuple[dict[str, int], dict[str, int]]:
    functions: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for section in (s for s in sections if s.kind == _SYMBOLS):
        for at in range(section.offset, section.offset + section.size, 16):
            name, value, size, info = struct.unpack_from("<IIIB", content, at)
            if info & 15 not in (_OBJECT, _FUNCTION):
                continue
            word = _text(content, sections[section.link].offset + name)
            sizes[word] = sizes.get(word, 0) + size
            if info & 15 == _FUNCTION:
                functions[word] = value & ~1
    return functions, sizes


def _text(content: bytes, start: int) -> str:
    return content[start : content.index(b"\0", start)].decode("ascii", "replace")
