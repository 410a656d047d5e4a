"""Read the map at the root of a FlexBuffer, the schema-less encoding of custom operators' options.

Format: FlatBuffers, "FlexBuffers" (flatbuffers.dev/flexbuffers): the last byte is the width of the root in bytes, the
byte before it its packed type (type in the upper six bits, log2 of the width of what it refers to in the lower two).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edgecompile.core.units import counted
from edgecompile.ir.tables import Allowance, DamagedError, number

_INTEGER, _UNSIGNED, _FLOAT, _KEY, _STRING = 1, 2, 3, 4, 5
_INDIRECT = {6: _INTEGER, 7: _UNSIGNED, 8: _FLOAT}
_MAP, _VECTOR = 9, 10
_TYPED = {11: _INTEGER, 12: _UNSIGNED, 13: _FLOAT, 14: _KEY, 15: _STRING, 36: 26}
_BLOB, _BOOL = 25, 26
_CODES = {
    _INTEGER: {1: "b", 2: "h", 4: "i", 8: "q"},
    _UNSIGNED: {1: "B", 2: "H", 4: "I", 8: "Q"},
    _FLOAT: {2: "e", 4: "f", 8: "d"},
}
_DEEPEST = 8
_LONGEST = 1 << 16


@dataclass(frozen=True)
class _Reference:
    """A value: where its slot is, how wide the slot, its type, and the width of what it points at."""

    data: memoryview
    place: int
    width: int
    kind: int
    child: int
    allowance: Allowance = field(repr=False, compare=False)

    def target(self) -> int:
        return self.place - _integer(self.data, self.place, self.width, _UNSIGNED)


def read_map(data: memoryview) -> dict[str, object]:
    """Keys and values of the root map: strings as ``memoryview`` (they may hold a package), vectors as lists.

    Raises DamagedError where the bytes are no such map, are nested deeper than any file needs, or hold vectors that are
    shared so often that they would not fit the file.
    """
    if len(data) < 3:
        raise DamagedError(f"a map does not fit into {counted(len(data), 'byte')}")
    width = data[-1]
    if width not in (1, 2, 4, 8):
        raise DamagedError(f"the root is {width} bytes wide, which is not 1, 2, 4 or 8")
    packed = data[-2]
    root = _Reference(data, len(data) - 2 - width, width, packed >> 2, 1 << (packed & 3), Allowance(len(data)))
    found = _value(root, 0)
    if not isinstance(found, dict):
        raise DamagedError(f"the root is of type {packed >> 2}, which is not a map")
    return found


def _value(reference: _Reference, depth: int) -> object:
    kind = reference.kind
    if depth > _DEEPEST:
        raise DamagedError(f"values are nested deeper than {_DEEPEST}")
    if kind == 0:
        return None
    if kind in _CODES:
        return _number(reference.data, reference.place, reference.width, kind)
    if kind == _BOOL:
        return bool(_integer(reference.data, reference.place, reference.width, _UNSIGNED))
    if kind in _INDIRECT:
        return _number(reference.data, reference.target(), reference.child, _INDIRECT[kind])
    if kind == _KEY:
        return _key(reference.data, reference.target())
    if kind in (_STRING, _BLOB):
        return _content(reference)
    if kind == _MAP:
        return _map(reference, depth)
    if kind == _VECTOR:
        return _vector(reference, depth)
    if kind in _TYPED:
        return _typed(reference, _TYPED[kind], depth)
    raise DamagedError(f"a value at byte {reference.place} is of type {kind}, which is not known")


def _content(reference: _Reference) -> memoryview:
    start = reference.target()
    count = _integer(reference.data, start - reference.child, reference.child, _UNSIGNED)
    if start < 0 or start + count > len(reference.data):
        raise DamagedError(f"{count} bytes at byte {start} end behind the {len(reference.data)} bytes")
    return reference.data[start : start + count]


def _map(reference: _Reference, depth: int) -> dict[str, object]:
    start, width = reference.target(), reference.child
    keys_place = start - 3 * width
    keys = keys_place - _integer(reference.data, keys_place, width, _UNSIGNED)
    keys_width = _integer(reference.data, start - 2 * width, width, _UNSIGNED)
    if keys_width not in (1, 2, 4, 8):
        raise DamagedError(f"keys are {keys_width} bytes wide, which is not 1, 2, 4 or 8")
    count = _count(reference)
    names = []
    for index in range(count):
        place = keys + index * keys_width
        names.append(_key(reference.data, place - _integer(reference.data, place, keys_width, _UNSIGNED)))
    return dict(zip(names, _vector(reference, depth), strict=True))


def _vector(reference: _Reference, depth: int) -> list[object]:
    start, width, count = reference.target(), reference.child, _count(reference)
    found = []
    for index in range(count):
        packed = int(number(reference.data, start + count * width + index, "B"))
        place, child = start + index * width, 1 << (packed & 3)
        entry = _Reference(reference.data, place, width, packed >> 2, child, reference.allowance)
        found.append(_value(entry, depth + 1))
    return found


def _typed(reference: _Reference, kind: int, depth: int) -> list[object]:
    start, width, data, allowance = reference.target(), reference.child, reference.data, reference.allowance
    places = range(start, start + _count(reference) * width, width)
    return [_value(_Reference(data, place, width, kind, 1, allowance), depth + 1) for place in places]


def _count(reference: _Reference) -> int:
    count = _integer(reference.data, reference.target() - reference.child, reference.child, _UNSIGNED)
    if count > _LONGEST:
        raise DamagedError(f"a vector of {count} entries, where no file has more than {_LONGEST}")
    reference.allowance.take(count)
    return count


def _key(data: memoryview, place: int) -> str:
    if not 0 <= place < len(data):
        raise DamagedError(f"a key at byte {place} is outside of the {len(data)} bytes")
    text = bytes(data[place : place + 256]).partition(b"\0")[0]
    return text.decode("utf-8", "replace")


def _integer(data: memoryview, place: int, width: int, kind: int) -> int:
    return int(_number(data, place, width, kind))


def _number(data: memoryview, place: int, width: int, kind: int) -> int | float:
    if width not in _CODES[kind]:
        raise DamagedError(f"a number of {width} bytes at byte {place}")
    return number(data, place, _CODES[kind][width])
