"""What each table of the schema holds, read off the generated accessors.

flatc's Python has no reflection, yet each accessor says all there is to know: the literal in
``Offset(4)`` is the field's place in the vtable, and the names its code uses tell its kind
(``String``, ``Vector``, ``Indirect``, ``Union``) and its type (``Int32Flags``, ``Tensor``).
So a schema that grows needs no change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import CodeType, MappingProxyType

import numpy as np

from edgecompile.libs.schema import names_of, new, schema

_SCALARS: Mapping[str, tuple[str, str]] = {
    "BoolFlags": ("?", "bool"),
    "Int8Flags": ("b", "int8"),
    "Uint8Flags": ("B", "uint8"),
    "Int16Flags": ("<h", "<i2"),
    "Uint16Flags": ("<H", "<u2"),
    "Int32Flags": ("<i", "<i4"),
    "Uint32Flags": ("<I", "<u4"),
    "Int64Flags": ("<q", "<i8"),
    "Uint64Flags": ("<Q", "<u8"),
    "Float32Flags": ("<f", "<f4"),
    "Float64Flags": ("<d", "<f8"),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a table.

    ``name`` as in the object API (``strideW``); ``slot`` is the byte offset in the vtable;
    ``kind`` is ``scalar``, ``string``, ``table``, ``union``, ``scalars``, ``strings`` or
    ``tables`` (the last three are vectors). ``format``, ``dtype`` and ``width`` in bytes of scalars;
    ``inline_width``: bytes in the table itself, where anything but a scalar is an offset; ``table`` the
    table pointed to; ``members`` a union's tables by type value, which stands in ``name + "Type"``.
    """

    name: str
    slot: int
    kind: str
    format: str = ""
    dtype: str = ""
    width: int = 4
    inline_width: int = 4
    table: str = ""
    members: Mapping[int, str] = field(default_factory=dict)


@cache
def fields_of(table: str) -> tuple[Field, ...]:
    """The table's fields, in the schema's order."""
    accessors = getattr(schema(), table)
    return tuple(
        _field(table, name, getattr(accessors, name[0].upper() + name[1:]).__code__) for name in vars(new(table))
    )


def _field(table: str, name: str, code: CodeType) -> Field:
    uses = code.co_names
    slot = next(value for value in code.co_consts if type(value) is int)
    several = "s" if "Vector" in uses else ""
    if "Union" in uses:
        return Field(name=name, slot=slot, kind="union", members=_members(table, name))
    if "String" in uses:
        return Field(name=name, slot=slot, kind=f"string{several}")
    if "Indirect" in uses:
        child = next(use for use in uses if _is_table(use))
        return Field(name=name, slot=slot, kind=f"table{several}", table=child)
    flags = next(use for use in reversed(uses) if use in _SCALARS)
    format, dtype = _SCALARS[flags]
    width = np.dtype(dtype).itemsize
    inline = 4 if several else width
    return Field(
        name=name, slot=slot, kind=f"scalar{several}", format=format, dtype=dtype, width=width, inline_width=inline
    )


def _is_table(name: str) -> bool:
    return hasattr(schema(), name) and hasattr(schema(), f"{name}T")


# Both index vectors of a sparse dimension are of one union; other unions are named after their field.
_UNIONS: Mapping[tuple[str, str], str] = {
    ("DimensionMetadata", "arraySegments"): "SparseIndexVector",
    ("DimensionMetadata", "arrayIndices"): "SparseIndexVector",
    ("QuantizationParameters", "details"): "QuantizationDetails",
}


def _members(table: str, name: str) -> Mapping[int, str]:
    return union(_UNIONS.get((table, name), name[0].upper() + name[1:]))


@cache
def union(name: str) -> Mapping[int, str]:
    """Tables of a union by type value, without NONE."""
    members: dict[int, str] = {value: table for value, table in names_of(name).items() if value}
    return MappingProxyType(members)
