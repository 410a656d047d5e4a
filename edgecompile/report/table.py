"""Plain-text tables, bars and lists of a report, 80 columns wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.folding import wrapped
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
    """A table of records: a column for each key that any has something under, numbers to the right, text to the left.

    Where it is too wide, the widest column of text has lines of its own (see :func:`drawn`).
    """
    columns = list(dict.fromkeys(key for record in records for key in record))
    columns = [column for column in columns if any(record.get(column) not in (None, "") for record in records)]
    cells = [[entry(column, record.get(column)) for column in columns] for record in records]
    heads = [column.replace("_", " ") for column in columns]
    return drawn([heads, *cells], [all(_is_number(record.get(column)) for record in records) for column in columns])


def drawn(cells: Sequence[Sequence[str]], right: Sequence[bool], room: int = WIDTH - _INDENT) -> list[str]:
    """Rows of words, the heads first, as lines; columns of ``right`` stand to the right.

    Where a line is longer than ``room``, the widest column of text leaves the table: its words stand above their row if
    it was the first, else below, with the head behind the other heads.
    """
    lines = _lines(cells, right)
    texts = [index for index, to_right in enumerate(right) if not to_right]
    if not texts or len(right) < 2 or max(map(len, lines)) <= room:
        return lines
    moved = max(texts, key=lambda index: max(len(row[index]) for row in cells))
    others = ([*row[:moved], *row[moved + 1 :]] for row in cells)
    rest = _lines(list(others), [*right[:moved], *right[moved + 1 :]])
    words = [row[moved] for row in cells]
    heads = _stacked(words[0], rest[0], True, room) if moved == 0 else [f"{rest[0]}  {words[0]}"]
    below = zip(words[1:], rest[1:], strict=True)
    return [*heads, *(line for word, row in below for line in _stacked(word, row, moved == 0, room))]


def _lines(cells: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    widths = [max(len(row[index]) for row in cells) for index in range(len(right))]
    return [_line(row, widths, right) for row in cells]


def _stacked(word: str, row: str, above: bool, room: int) -> list[str]:
    indent = "" if above else " " * 4
    own = wrapped(word, room, indent, indent)
    return [*own, f"  {row}"] if above else [row, *own]


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
        lines = rows(value)
        fits = max(map(len, lines)) <= WIDTH - _INDENT and not any(map(_holds_more, value))
        return lines if fits else [line for record in value for line in ("-", *pairs(record))]
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
    lines = wrapped(text, WIDTH, indent, start)
    return lines or [start.rstrip()]


def _named_rows(value: Mapping[str, Any]) -> list[str]:
    """Records that have names as a table of one more column; nothing for anything else or for too wide a table."""
    if len(value) < 2 or not all(_is_record(entry) and not _holds_more(entry) for entry in value.values()):
        return []
    lines = rows([{"": name, **record} for name, record in value.items()])
    return lines if max(map(len, lines)) <= WIDTH - 2 * _INDENT else []


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
