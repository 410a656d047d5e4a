"""Plain-text tables, bars and lists of a report, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.units import group
from edgecompile.ir.layer_names import short_name

WIDTH = 80
_BAR_CELLS = 10
_INDENT = 2


def bar(ratio: float) -> str:
    """A share as ``[==        ]``: anything above zero shows, and only 1 or more fills it."""
    if ratio >= 1:
        return f"[{'=' * _BAR_CELLS}]"
    filled = min(_BAR_CELLS - 1, int(ratio * _BAR_CELLS))
    return f"[{'=' * (filled or int(ratio > 0)):<{_BAR_CELLS}}]"


def number(value: Any) -> str:
    """A figure for people: counts grouped, fractions with four significant digits, nothing as ``-``."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return group(value)
    if isinstance(value, float):
        return group(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number(entry)}" for key, entry in value.items() if entry != "")
    if isinstance(value, list | tuple):
        return ", ".join(number(entry) for entry in value)
    return str(value)


def rows(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of records: a column for each key, numbers to the right, text to the left."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    cells = [[entry(column, record.get(column)) for column in columns] for record in records]
    heads = [column.replace("_", " ") for column in columns]
    widths = [max(len(row[index]) for row in [heads, *cells]) for index in range(len(columns))]
    right = [all(_is_number(record.get(column)) for record in records) for column in columns]
    return [_line(row, widths, right) for row in [heads, *cells]]


def entry(name: str, value: Any) -> str:
    """A value of a record; a layer is called by the end of its name, as elsewhere."""
    return short_name(value) if name == "layer" and isinstance(value, str) else number(value)


def block(value: Any) -> list[str]:
    """Any detail as lines: a table for records that fit, names and values for one record, words for the rest."""
    if isinstance(value, Mapping):
        return _named_rows(value) or pairs(value)
    if isinstance(value, list | tuple) and value and all(isinstance(entry, Mapping) for entry in value):
        if len(value) == 1:
            return pairs(value[0])
        drawn = rows(value)
        fits = max(map(len, drawn)) <= WIDTH - _INDENT and not any(map(_holds_more, value))
        return drawn if fits else [line for entry in value for line in ("-", *pairs(entry))]
    return [line[_INDENT:] for line in wrap(number(value), "    ", first="  ")]


def pairs(record: Mapping[str, Any]) -> list[str]:
    """Names and values, one a line; what holds more than one thing is indented below its name."""
    width = max((len(str(key)) for key in record), default=0)
    lines = []
    for key, value in record.items():
        name = str(key).replace("_", " ")
        if isinstance(value, Mapping) or (isinstance(value, list | tuple) and any(map(_is_record, value))):
            lines += [name, *(f"  {line}" for line in block(value))]
        else:
            text = entry(str(key), value) or '""'
            lines += [line[_INDENT:] for line in wrap(text, " " * (width + 4), first=f"  {name:<{width}}  ")]
    return lines


def wrap(text: str, indent: str, first: str | None = None) -> list[str]:
    """Text broken at 80 columns; ``first`` stands in front of the first line instead of ``indent``."""
    start = indent if first is None else first
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return lines or [start.rstrip()]


def _named_rows(value: Mapping[str, Any]) -> list[str]:
    """Records that have names as a table of one more column; nothing for anything else or for too wide a table."""
    if len(value) < 2 or not all(_is_record(entry) and not _holds_more(entry) for entry in value.values()):
        return []
    drawn = rows([{"": name, **entry} for name, entry in value.items()])
    return drawn if max(map(len, drawn)) <= WIDTH - 2 * _INDENT else []


def _is_record(value: Any) -> bool:
    return isinstance(value, Mapping)


def _holds_more(record: Mapping[str, Any]) -> bool:
    return any(_is_record(value) for value in record.values())


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    columns = zip(cells, widths, right, strict=True)
    return "  ".join(
        f"{cell:>{width}}" if to_right else f"{cell:<{width}}" for cell, width, to_right in columns
    ).rstrip()
