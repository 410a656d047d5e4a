"""Flatbuffers of tables that are described by data, where no generated code is at hand: written and read.

A schema maps a table's name to its fields, in the order of their numbers: ``{"Size": (("width", "uint"), ...)}``. A
field's kind is ``string``, ``byte``, ``int``, ``uint``, ``float``, the name of a table, ``union:NAME`` (two numbers:
which member, and the member), or one of these but a union in brackets for a vector of it. ``unions`` maps a union's
name to its members, the first being number 1.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecompile.libs.schema import builder

_SCALARS: Mapping[str, str] = {"byte": "Int8", "int": "Int32", "uint": "Uint32", "float": "Float32"}
_FORMATS: Mapping[str, str] = {"byte": "<b", "int": "<i", "uint": "<I", "float": "<f"}
# A hostile file can refer to one table from many places, and that from many; no honest description has so many.
_MOST_VALUES = 100_000
_SHARING = 4
_SMALL = 1024

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Tables and unions; ``identifier`` are the four bytes that a file of ``root`` says it is by."""

    root: str
    identifier: bytes
    tables: Mapping[str, Fields]
    unions: Mapping[str, Sequence[str]]


def write(schema: Schema, value: Mapping[str, Any]) -> bytes:
    """The flatbuffer of ``value``: plain dicts, lists, texts and numbers by field name; a union is ``(member, value)``.

    Equal values give equal bytes. Raises KeyError for a field or member that the schema does not have.
    """
    into = builder()
    root = _write_table(schema, into, schema.root, value)
    into.Finish(root, file_identifier=schema.identifier)
    return bytes(into.Output())


def read(schema: Schema, data: bytes) -> dict[str, Any]:
    """What :func:`write` was given, without the fields that are not there.

    Raises ValueError for what is no flatbuffer of this schema.
    """
    if data[4:8] != schema.identifier:
        raise ValueError(f"the identifier is {data[4:8]!r}, not {schema.identifier!r}")
    try:
        return _Reader(schema, data).table(schema.root, struct.unpack_from("<I", data, 0)[0])
    except (struct.error, IndexError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _write_table(schema: Schema, into: Any, name: str, value: Mapping[str, Any]) -> Any:
    fields = schema.tables[name]
    unknown = set(value) - {field for field, _ in fields}
    if unknown:
        raise KeyError(f"table `{name}` has no field `{min(unknown)}`")
    slots: list[tuple[int, str, Any]] = []
    number = 0
    for field, kind in fields:
        given = value.get(field)
        if kind.startswith("union:"):
            if given is not None:
                member, inner = given
                slots.append((number, "byte", schema.unions[kind[6:]].index(member) + 1))
                slots.append((number + 1, "offset", _write_table(schema, into, member, inner)))
            number += 2
            continue
        if given is not None:
            slots.append((number, *_write_value(schema, into, kind, given)))
        number += 1
    into.StartObject(number)
    for slot, kind, written in slots:
        if kind == "offset":
            into.PrependUOffsetTRelativeSlot(slot, written, 0)
        else:
            getattr(into, f"Prepend{_SCALARS[kind]}Slot")(slot, written, None)
    return into.EndObject()


def _write_value(schema: Schema, into: Any, kind: str, value: Any) -> tuple[str, Any]:
    if kind in _SCALARS:
        return kind, value
    if kind == "string":
        return "offset", into.CreateString(value.encode("utf-8", "surrogateescape"))
    if not kind.startswith("["):
        return "offset", _write_table(schema, into, kind, value)
    inner = kind[1:-1]
    items = [_write_value(schema, into, inner, one)[1] for one in value]
    into.StartVector(struct.calcsize(_FORMATS.get(inner, "<I")), len(items), 4)
    put = getattr(into, f"Prepend{_SCALARS[inner]}") if inner in _SCALARS else into.PrependUOffsetTRelative
    for item in reversed(items):
        put(item)
    return "offset", into.EndVector()


class _Reader:
    """Reads tables by their places; raises struct.error or IndexError outside of the data."""

    def __init__(self, schema: Schema, data: bytes) -> None:
        self.schema, self.data = schema, data
        self.left, self.text_left = _MOST_VALUES, _SHARING * len(data) + _SMALL

    def table(self, name: str, place: int) -> dict[str, Any]:
        """The fields of the table at a place that are there."""
        self._count()
        start = place - self._number("<i", place)
        size = self._number("<H", start)
        found: dict[str, Any] = {}
        number = 0
        for field, kind in self.schema.tables[name]:
            at = self._slot(start, size, place, number)
            if kind.startswith("union:"):
                member = self._number("<B", at) if at else 0
                at = self._slot(start, size, place, number + 1)
                members = self.schema.unions[kind[6:]]
                if at and 0 < member <= len(members):
                    found[field] = (members[member - 1], self.table(members[member - 1], self._behind(at)))
                number += 2
                continue
            if at:
                found[field] = self._value(kind, at)
            number += 1
        return found

    def _value(self, kind: str, at: int) -> Any:
        self._count()
        if kind in _FORMATS:
            return self._number(_FORMATS[kind], at)
        place = self._behind(at)
        if kind == "string":
            length = self._number("<I", place)
            if place + 4 + length > len(self.data):
                raise IndexError("a text runs past the end")
            self.text_left -= length
            if self.text_left < 0:
                raise IndexError(f"more text than {len(self.data)} bytes can hold")
            return self.data[place + 4 : place + 4 + length].decode("utf-8")
        if not kind.startswith("["):
            return self.table(kind, place)
        step = struct.calcsize(_FORMATS.get(kind[1:-1], "<I"))
        return [self._value(kind[1:-1], place + 4 + i * step) for i in range(self._number("<I", place))]

    def _slot(self, start: int, size: int, place: int, number: int) -> int:
        """Where a field is, 0 where it is not there."""
        entry = 4 + 2 * number
        offset = self._number("<H", start + entry) if entry + 2 <= size else 0
        return place + offset if offset else 0

    def _behind(self, at: int) -> int:
        return at + int(self._number("<I", at))

    def _number(self, form: str, at: int) -> Any:
        if at < 0:
            raise IndexError("an offset points before the beginning")
        return struct.unpack_from(form, self.data, at)[0]

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise IndexError(f"more than {_MOST_VALUES} values")
