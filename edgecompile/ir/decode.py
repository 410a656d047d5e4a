"""Bytes of a flatbuffer to the schema's objects, every offset and length checked before it is followed.

The Python flatbuffers library checks nothing: a vector length of four billion is believed, and
tables that point at each other in a few kilobytes unpack to gigabytes. Here a table is visited
only within a budget that grows with the file, and each read lies inside the file.

Fields that the schema has deprecated are skipped, as by every reader; fields that it does not
know yet are refused (EC214), because they could not be written back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import counted
from edgecompile.libs.schema import new
from edgecompile.libs.schema_fields import Field, fields_of

# A vtable entry points to each unshared table, so a file has at most one table per 8 bytes; the
# factor leaves room for tables that several others share. The cap is the C++ verifier's own.
_BYTES_A_TABLE = 2
_MOST_TABLES = 1_000_000
_SHARING = 4
_SMALL = 1024

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_I32 = struct.Struct("<i")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The root object, and the offset at which the flatbuffer's last byte used is over."""

    root: Any
    end: int


def decode(content: bytes, table: str, name: str) -> Decoded:
    """The root table of ``content`` as an object of the object API (vectors are views of ``content``).

    Raises EC211 where something lies beyond the end of the file, EC213 where the structure does
    not make sense, EC214 where it is newer than the schema.
    """
    walk = _Walk(content, name)
    walk.inside(0, 8, table)
    root = walk.table(walk.target(0, table), table, "")
    return Decoded(root=root, end=walk.end)


class _Walk:
    """State of one decoding: how far into the file it has come, and how much it may still visit."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content = content
        self.name = name
        self.end = 0
        self.tables_left = min(_MOST_TABLES, len(content) // _BYTES_A_TABLE + _SMALL)
        self.bytes_left = _SHARING * len(content) + _SMALL

    def table(self, at: int, table: str, path: str) -> Any:
        """The table at an offset; ``path`` says where it hangs (``subgraphs[0].tensors[3]``)."""
        self.tables_left -= 1
        if self.tables_left < 0:
            raise self.broken(path, f"more tables than {len(self.content)} bytes can hold")
        vtable, slots, size = self.vtable(at, path or table)
        value, fields = new(table), fields_of(table)
        self.refuse_newer(vtable, fields[-1].slot + 2 if fields else 4, slots, path or table)
        for field in fields:
            offset = _U16.unpack_from(self.content, vtable + field.slot)[0] if field.slot < slots else 0
            if offset:
                where = f"{path}.{field.name}" if path else field.name
                if offset < 4 or offset + field.inline_width > size:
                    raise self.broken(where, f"offset {offset} leaves its table of {size} bytes")
                setattr(value, field.name, self.field(at + offset, field, value, where))
        return value

    def vtable(self, at: int, path: str) -> tuple[int, int, int]:
        """Where the table's vtable is, its length and the table's length."""
        self.inside(at, 4, path)
        vtable = at - int(_I32.unpack_from(self.content, at)[0])
        self.inside(vtable, 4, path)
        slots, size = _U16.unpack_from(self.content, vtable)[0], _U16.unpack_from(self.content, vtable + 2)[0]
        if slots < 4 or slots % 2 or size < 4:
            raise self.broken(path, f"its vtable says {slots} bytes of slots, {size} bytes of fields")
        self.inside(vtable, slots, path)
        self.inside(at, size, path)
        return vtable, slots, size

    def refuse_newer(self, vtable: int, known: int, slots: int, path: str) -> None:
        """Raise EC214 when a field beyond the known ones is set."""
        if any(self.content[vtable + known : vtable + slots]):
            raise newer(self.name, path, "a field that the installed schema does not know")

    def field(self, at: int, field: Field, owner: Any, path: str) -> Any:
        """A field's value; ``at`` is where it stands in its table."""
        if field.kind == "scalar":
            return struct.unpack_from(field.format, self.content, at)[0]
        target = self.target(at, path)
        if field.kind == "string":
            return self.string(target, path)
        if field.kind == "table":
            return self.table(target, field.table, path)
        if field.kind == "union":
            return self.union(target, field, owner, path)
        return self.vector(target, field, path)

    def union(self, at: int, field: Field, owner: Any, path: str) -> Any:
        kind = getattr(owner, f"{field.name}Type")
        if kind == 0:
            return None
        if kind not in field.members:
            raise newer(self.name, path, f"type {kind}, which the installed schema does not know")
        return self.table(at, field.members[kind], path)

    def vector(self, at: int, field: Field, path: str) -> Any:
        count = self.count(at, field.width, path)
        if field.kind == "scalars":
            return np.frombuffer(self.content, dtype=field.dtype, count=count, offset=at + 4)
        places = range(at + 4, at + 4 + 4 * count, 4)
        targets = ((self.target(place, path), f"{path}[{i}]") for i, place in enumerate(places))
        if field.kind == "strings":
            return [self.string(target, where) for target, where in targets]
        return [self.table(target, field.table, where) for target, where in targets]

    def string(self, at: int, path: str) -> bytes:
        stop = at + 4 + self.count(at, 1, path)
        if self.content[stop : stop + 1] == b"\0" and stop == self.end:
            self.end += 1  # the terminator, which the length leaves out
        return self.content[at + 4 : stop]

    def count(self, at: int, width: int, path: str) -> int:
        """A vector's length, once all of it is known to lie inside the file."""
        self.inside(at, 4, path)
        count = int(_U32.unpack_from(self.content, at)[0])
        self.inside(at + 4, count * width, path)
        self.bytes_left -= count * width
        if self.bytes_left < 0:
            raise self.broken(path, f"vectors say more than {_SHARING} times what {len(self.content)} bytes can hold")
        return count

    def target(self, at: int, path: str) -> int:
        """Where the offset stored at ``at`` points."""
        return at + int(_U32.unpack_from(self.content, at)[0])

    def inside(self, start: int, size: int, path: str) -> None:
        """Raise EC211 unless ``size`` bytes from ``start`` lie in the file."""
        stop = start + size
        if start < 0 or stop > len(self.content):
            raise cut_off(self.name, path, start, size, len(self.content))
        if stop > self.end:
            self.end = stop

    def broken(self, path: str, what: str) -> EdgecompileError:
        return bad_input(
            "EC213",
            f"`{self.name}` is damaged",
            Location(file=self.name, detail=f"`{path}`"),
            (what,),
            ("copy or export the model again",),
        )


def cut_off(name: str, path: str, start: int, size: int, available: int) -> EdgecompileError:
    """EC211: something lies, or would lie, beyond the end of the file."""
    return bad_input(
        "EC211",
        f"`{name}` is cut off or damaged",
        Location(file=name, detail=f"`{path}`"),
        (f"{counted(size, 'byte')} wanted at offset {start}, the file has {counted(available, 'byte')}",),
        ("copy or download the model again and compare its size with the original",),
    )


def newer(name: str, path: str, what: str) -> EdgecompileError:
    """EC214: the file uses something that the installed schema does not have."""
    return bad_input(
        "EC214",
        f"`{name}` uses {what}",
        Location(file=name, detail=f"`{path}`"),
        ("dropping it could change what the model computes",),
        ("update the schema: pip install --upgrade ai-edge-litert", "or the file is damaged: copy it again"),
    )
