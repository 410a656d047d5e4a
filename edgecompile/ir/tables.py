"""Read flatbuffers whose schema we know by field number, with every offset held against the bytes that are there."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

_LONGEST_VECTOR = 1 << 28
# A file may refer to one thing from several places, but not so often that reading it takes many times its size.
_SHARING = 4
_SMALL = 1024


class DamagedError(ValueError):
    """An offset, length or type of a binary structure does not fit the bytes that hold it."""


class Allowance:
    """How many bytes of a file may yet be visited: some times as many as it has, however they refer to each other."""

    def __init__(self, size: int) -> None:
        self.size, self.left = size, _SHARING * size + _SMALL

    def take(self, count: int) -> None:
        """Account for ``count`` bytes, or values of at least a byte. Raises DamagedError when there are too many."""
        self.left -= count
        if self.left < 0:
            raise DamagedError(f"its parts refer to each other so often that {self.size} bytes cannot hold them")


@dataclass(frozen=True)
class Table:
    """One table of a flatbuffer: ``data`` is the whole buffer, ``position`` where the table starts.

    Fields are named by their number in the schema; an absent field gives its default. Every method
    raises :class:`DamagedError` where the buffer does not hold what it refers to, or has used up the ``allowance``.
    """

    data: memoryview
    position: int
    allowance: Allowance = field(repr=False, compare=False)

    def integer(self, field: int, code: str = "i", default: int = 0) -> int:
        """A number; ``code`` is the format character of ``struct`` (``i``, ``q``, ``Q``, ``b``)."""
        place = self._place(field)
        return default if place is None else int(number(self.data, place, code))

    def real(self, field: int, default: float = 0.0) -> float:
        """A float32."""
        place = self._place(field)
        return default if place is None else float(number(self.data, place, "f"))

    def table(self, field: int) -> Table | None:
        """The table that a field refers to, None where it is absent."""
        place = self._place(field)
        return None if place is None else Table(self.data, _follow(self.data, place), self.allowance)

    def content(self, field: int) -> memoryview:
        """A vector of bytes or a string, empty where it is absent."""
        place = self._place(field)
        if place is None:
            return self.data[:0]
        start, count = self._vector(place, 1)
        return self.data[start : start + count]

    def text(self, field: int) -> str:
        """A string; bytes that are not UTF-8 come out as replacement characters."""
        return bytes(self.content(field)).decode("utf-8", "replace")

    def tables(self, field: int) -> tuple[Table, ...]:
        """A vector of tables."""
        places = self._references(field)
        return tuple(Table(self.data, _follow(self.data, place), self.allowance) for place in places)

    def contents(self, field: int) -> tuple[memoryview, ...]:
        """A vector of strings, as bytes."""
        found = []
        for place in self._references(field):
            start, count = self._vector(place, 1)
            found.append(self.data[start : start + count])
        return tuple(found)

    def _references(self, field: int) -> range:
        place = self._place(field)
        if place is None:
            return range(0)
        start, count = self._vector(place, 4)
        return range(start, start + 4 * count, 4)

    def _vector(self, place: int, size: int) -> tuple[int, int]:
        start = _follow(self.data, place)
        count = int(number(self.data, start, "I"))
        if count > _LONGEST_VECTOR or start + 4 + count * size > len(self.data):
            raise DamagedError(f"a vector of {count} entries at byte {start} ends behind the {len(self.data)} bytes")
        self.allowance.take(count * size)
        return start + 4, count

    def _place(self, field: int) -> int | None:
        """Where a field's value stands: the table's first word leads to the list of its fields' offsets."""
        listing = self.position - int(number(self.data, self.position, "i"))
        length = int(number(self.data, listing, "H"))
        entry = 4 + 2 * field
        if entry + 2 > length:
            return None
        offset = int(number(self.data, listing + entry, "H"))
        return self.position + offset if offset else None


def root(data: memoryview, identifier: bytes = b"") -> Table:
    """The root table of a buffer; ``identifier`` is what bytes 4 to 7 must read. Raises DamagedError."""
    if identifier and bytes(data[4:8]) != identifier:
        raise DamagedError(f"bytes 4 to 7 should read {identifier!r}, they read {bytes(data[4:8])!r}")
    return Table(data, _follow(data, 0), Allowance(len(data)))


def number(data: memoryview, place: int, code: str) -> int | float:
    """A little-endian number at a place. Raises DamagedError behind either end."""
    size = struct.calcsize(code)
    if place < 0 or place + size > len(data):
        raise DamagedError(f"byte {place} is outside of the {len(data)} bytes")
    found: int | float = struct.unpack_from(f"<{code}", data, place)[0]
    return found


def _follow(data: memoryview, place: int) -> int:
    return place + int(number(data, place, "I"))
