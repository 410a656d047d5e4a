"""Read a table: one sample a row, numbers in columns, the class or value to predict in one of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.project import DataSpec
from edgecompile.core.units import counted
from edgecompile.frontend.data_set import Array, Origin, Raw, Split

NO_TARGET = ""
_READABLE = "give this user read permission on the file and its folder"


def read(path: Path, spec: DataSpec, source: str) -> Raw:
    """x ``float32[n, columns]`` and y from ``spec.target_column``: a header name or a position (-1 is the last).

    None takes the last column, ``""`` none. The first row is a header when none of its cells is a
    number, or when it has the target's name. y is ``int64[n]`` where every value is a whole number, else
    ``float32[n]``, else texts. Comma, semicolon and tab are told apart by the first row.
    Raises BadInputError: EC277 for a file or a cell that cannot be read, EC278 for an unknown target.
    """
    rows, lines = _rows(path, source)
    header = rows[0] if _is_header(rows[0], spec.target_column) else None
    body, places = (rows[1:], lines[1:]) if header else (rows, lines)
    if not body:
        raise _unreadable(source, "there is a header and no row", 1)
    _check_widths(rows, lines, source)
    target = _target(header, len(rows[0]), spec.target_column, source)
    features = [column for column in range(len(rows[0])) if column != target]
    if not features:
        raise _unreadable(source, "there is no column beside the target", 1)
    x = np.stack([_numbers(body, column, header, places, source) for column in features], axis=1)
    y = () if target is None else (_targets([row[target] for row in body]),)
    named = {"columns": [header[column].strip() for column in features]} if header else {}
    columns = tuple(_column(header, column) for column in features)
    origin = Origin(part="train", rows=np.asarray(places), columns=columns)
    return Raw(kind="csv", train=Split(x=(x.astype(np.float32),), y=y, origin=origin), facts=named)


def _rows(path: Path, source: str) -> tuple[list[list[str]], list[int]]:
    """Rows that are not empty, and the lines that they begin in."""
    rows, lines, line = [], [], 1
    try:
        text = path.read_text(encoding="utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise _no_text(path.read_bytes()[: error.start], error, source) from None
    except csv.Error as error:
        raise _unreadable(source, str(error)[:200], line) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise bad_input("EC277", f"`{source}` cannot be read: {reason}", source, help=(_READABLE,)) from None
    if not rows:
        raise bad_input("EC277", f"`{source}` holds no row", source, help=("write one sample a row",))
    return rows, lines


def _no_text(before: bytes, error: UnicodeDecodeError, source: str) -> EdgecompileError:
    line = before.count(b"\n") + 1
    return bad_input(
        "EC277",
        f"`{source}` cannot be read as a table: it is not text in UTF-8",
        Location(file=source, detail=f"row {line}"),
        notes=(f"found: byte 0x{error.object[error.start]:02x} in row {line}",),
        help=("save it as UTF-8, which spreadsheets call `CSV UTF-8`",),
    )


def _is_header(row: list[str], target: str | None) -> bool:
    # A target that is a number means a position: such a cell in the first row is a value like any other.
    names_target = target is not None and not _is_number(target) and target in (cell.strip() for cell in row)
    return names_target or not any(_is_number(cell) for cell in row)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_widths(rows: list[list[str]], lines: list[int], source: str) -> None:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise _unreadable(source, f"row {line} has {len(row)} cells, the first row {len(rows[0])}", line)


def _target(header: list[str] | None, width: int, named: str | None, source: str) -> int | None:
    if named is None:
        return width - 1
    if named == NO_TARGET:
        return None
    names = [cell.strip() for cell in header] if header else []
    if named in names:
        return names.index(named)
    try:
        position = int(named)
    except ValueError:
        position = width
    if -width <= position < width:
        return position % width
    found = ", ".join(f"`{name}`" for name in names[:20]) if names else f"{counted(width, 'column')} without names"
    raise bad_input(
        "EC278",
        f"there is no column `{named}`",
        Location(file=source, detail="[data] `target_column`"),
        notes=(f"found: {found}",),
        help=did_you_mean(named, names) or (f"give a name of the header, or a position from 0 to {width - 1}",),
    )


def _column(header: list[str] | None, column: int) -> str:
    return f"`{header[column].strip()}`" if header else f"{column}"


def _numbers(body: list[list[str]], column: int, header: list[str] | None, lines: list[int], source: str) -> Array:
    cells = [row[column] for row in body]
    try:
        return np.asarray(cells, dtype=np.float64)
    except ValueError:
        row = next(index for index, cell in enumerate(cells) if not _is_number(cell))
    what = f"the text `{cells[row].strip()[:40]}`" if cells[row].strip() else "an empty cell"
    reason = f"row {lines[row]}, column {_column(header, column)} holds {what} where a number is expected"
    raise _unreadable(source, reason, lines[row])


def _targets(cells: list[str]) -> Array:
    stripped = [cell.strip() for cell in cells]
    if not all(_is_number(cell) for cell in stripped):
        return np.asarray(stripped)
    values = np.asarray(stripped, dtype=np.float64)
    whole = np.isfinite(values).all() and (values == np.floor(values)).all() and (np.abs(values) < 2**53).all()
    return values.astype(np.int64 if whole else np.float32)


def _unreadable(source: str, reason: str, row: int) -> EdgecompileError:
    return bad_input(
        "EC277",
        f"`{source}` cannot be read as a table: {reason}",
        Location(file=source, detail=f"row {row}"),
        help=(
            "every row needs the same columns, and numbers in all but the target",
            "set `target_column` if the target is not the last column",
        ),
    )
