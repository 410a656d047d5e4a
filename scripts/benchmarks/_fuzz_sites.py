"""Where the offsets, counts, tables and values of a flatbuffer stand, so that mutations hit them and not padding."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.ir.decode import _Walk

# Of a long vector only so many elements are sites: the others are alike.
_ELEMENTS = 12
_FORMS = {"i1": "b", "u1": "B", "i2": "<h", "u2": "<H", "i4": "<i", "u4": "<I", "i8": "<q", "u8": "<Q"}


@dataclass(frozen=True)
class Site:
    """``kind``: offset, table, slot, count, value or text; ``form`` how ``struct`` packs what stands at ``at``."""

    kind: str
    at: int
    form: str


class _Recorder(_Walk):
    """The reader's own walk, which notes what it looks at."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, "seed")
        self.found: dict[tuple[int, str], Site] = {}

    def note(self, kind: str, at: int, form: str) -> None:
        self.found[at, kind] = Site(kind, at, form)

    def vtable(self, at: int, path: str) -> tuple[int, int, int]:
        vtable, slots, size = super().vtable(at, path)
        self.note("table", at, "<i")
        for place in range(vtable, vtable + slots, 2):
            self.note("slot", place, "<H")
        return vtable, slots, size

    def field(self, at: int, field: Any, owner: Any, path: str) -> Any:
        if field.kind == "scalar":
            self.note("value", at, field.format)
        return super().field(at, field, owner, path)

    def target(self, at: int, path: str) -> int:
        self.note("offset", at, "<I")
        return super().target(at, path)

    def vector(self, at: int, field: Any, path: str) -> Any:
        found = super().vector(at, field, path)
        if field.kind == "scalars" and len(found):
            dtype = np.dtype(field.dtype)
            form = {"f4": "<f", "f8": "<d"}.get(dtype.str[1:], _FORMS.get(dtype.str[1:], "B"))
            for index in range(min(len(found), _ELEMENTS)):
                self.note("value", at + 4 + index * dtype.itemsize, form)
        return found

    def string(self, at: int, path: str) -> bytes:
        found = super().string(at, path)
        for index in range(min(len(found), 3)):
            self.note("text", at + 4 + index, "B")
        return found

    def count(self, at: int, width: int, path: str) -> int:
        self.note("count", at, "<I")
        return super().count(at, width, path)


def by_schema(content: bytes, table: str = "Model") -> list[Site]:
    """The sites of a flatbuffer that can be read, by TFLite's schema."""
    recorder = _Recorder(content)
    recorder.table(recorder.target(0, table), table, "")
    return sorted(recorder.found.values(), key=lambda site: (site.at, site.kind))


def by_shape(content: bytes) -> list[Site]:
    """The sites of a flatbuffer whose schema is not known: every word that leads into the buffer may be an offset."""
    found: dict[tuple[int, str], Site] = {(0, "offset"): Site("offset", 0, "<I")}
    waiting, seen = [struct.unpack_from("<I", content)[0]], set()
    while waiting:
        at = waiting.pop()
        if at in seen or not 0 <= at <= len(content) - 4:
            continue
        seen.add(at)
        found[at, "count"] = Site("count", at, "<I")
        found[at, "table"] = Site("table", at, "<i")
        for place in _slots(content, at, found):
            found[place, "value"] = Site("value", place, "<I")
            if place + 4 <= len(content):
                found[place, "offset"] = Site("offset", place, "<I")
                waiting.append(place + struct.unpack_from("<I", content, place)[0])
        for place in range(at + 4, min(at + 4 + 4 * _ELEMENTS, len(content) - 4), 4):  # were it a vector of offsets
            waiting.append(place + struct.unpack_from("<I", content, place)[0])
    return sorted(
        (site for site in found.values() if site.at + 8 <= len(content)), key=lambda site: (site.at, site.kind)
    )


def _slots(content: bytes, at: int, found: dict[tuple[int, str], Site]) -> list[int]:
    """Where the fields of a table stand, were there one."""
    vtable = at - struct.unpack_from("<i", content, at)[0]
    if not 0 <= vtable <= len(content) - 4:
        return []
    slots = struct.unpack_from("<H", content, vtable)[0]
    if not 4 <= slots <= 128 or slots % 2 or vtable + slots > len(content):
        return []
    places = []
    for entry in range(vtable, vtable + slots, 2):
        found[entry, "slot"] = Site("slot", entry, "<H")
        offset = struct.unpack_from("<H", content, entry)[0]
        if entry >= vtable + 4 and offset and at + offset + 4 <= len(content):
            places.append(at + offset)
    return places
