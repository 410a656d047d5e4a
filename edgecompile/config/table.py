"""Check a TOML table against its declared keys: nothing unknown, nothing missing, every value in range."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import BadInputError, did_you_mean
from edgecompile.core.input_shape import EXAMPLE, parse_input_shape
from edgecompile.core.units import parse_size

NOWHERE: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a key may hold.

    ``kind`` is a name of ``KINDS``. ``choices`` lists the texts allowed; ``minimum`` and
    ``maximum`` bound a number (each number of a list), ``above`` and ``below`` exclude the bound
    itself; ``lengths`` are the numbers of elements that a list may have. ``entries``: a text may also name a function,
    ``module:function``.
    """

    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    below: float | None = None
    lengths: tuple[int, ...] = ()
    entries: bool = False


def check_table(
    plain: Mapping[str, Any],
    keys: Mapping[str, Key],
    *,
    file: str,
    table: str = "",
    others: Key | None = None,
    homes: Mapping[str, str] = NOWHERE,
) -> tuple[Diagnostic, ...]:
    """Everything wrong with a table: EC123 unknown key, EC124 wrong type, EC125 wrong value, EC126 missing key.

    ``table`` is its dotted name (empty: the top of the file). ``others`` describes keys that
    ``keys`` does not list; None: there may be none. ``homes`` tells for keys that people put here
    by mistake the table that they belong to.
    """
    found: list[Diagnostic] = []
    for name, value in plain.items():
        key = keys.get(name, others)
        if key is None:
            found.append(unknown_key(name, keys, file=file, table=table, home=homes.get(name)))
        else:
            found.extend(check_value(value, key, place(file, table, name), f"`{name}`"))
    absent = (name for name, key in keys.items() if key.required and name not in plain)
    return (*found, *(_absent(name, keys[name], file, table) for name in absent))


def check_value(value: Any, key: Key, location: Location, what: str) -> tuple[Diagnostic, ...]:
    """Everything wrong with one value; ``what`` is how messages call it (`` `seed` ``)."""
    expected, fits = KINDS[key.kind]
    if not fits(value):
        message = f"{what} must be {expected}"
        return (_wrong("EC124", message, location, (f"found {describe(value)}",), _retyped(value, key)),)
    notes = _outside(value, key)
    if not notes:
        return ()
    return (_wrong("EC125", f"{what} has a value that is not allowed", location, notes, _remedy(value, key)),)


def unknown_key(
    name: str, known: Mapping[str, Any], *, file: str, table: str = "", home: str | None = None
) -> Diagnostic:
    """EC123, with the table that the key belongs to (``home``) or the near name, where there is one."""
    near = (f"`{name}` belongs to [{home}]",) if home else did_you_mean(name, known)
    where = f"[{table}]" if table else "the top of the file"
    return Diagnostic(
        code="EC123",
        message=f"{where} has no key `{name}`",
        location=place(file, table, name),
        notes=(f"the keys are {_listed(sorted(known))}",) if known else (),
        help=near or ("correct the key or take it out",),
    )


def place(file: str, table: str, name: str) -> Location:
    """The location of a key: file, table and key."""
    return Location(file=file, detail=f"[{table}] `{name}`" if table else f"`{name}`")


def demand(*diagnostics: Diagnostic) -> None:
    """Raise BadInputError with all of them, when there are any."""
    if diagnostics:
        raise BadInputError(*diagnostics)


def describe(value: Any) -> str:
    """A value as a TOML reader knows it, short: ``the text "abc"``, ``the number 3``, ``a table``."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'the text "{value if len(value) <= 60 else value[:57] + "..."}"'
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, int):
        return f"the number {value}" if abs(value) < 10**40 else "a number of more than 40 digits"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, (list, tuple)):
        return f"the list {json.dumps(list(value), default=str, ensure_ascii=False)[:60]}"
    return f"a {type(value).__name__}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    # Wider integers than 64 bits cannot be written back by other TOML tools, nor meant as a setting.
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_number(value: Any) -> bool:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _is_release(value: Any) -> bool:
    """The number of a TensorFlow Lite from 2.0 on."""
    return isinstance(value, str) and re.fullmatch(r"[2-9]\.[0-9]{1,2}", value) is not None


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(re.compile(value))
    except re.error:
        return False


def _is_shape(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_input_shape(value))
    except ValueError:
        return False


def _is_size(value: Any) -> bool:
    if not isinstance(value, (str, int)):
        return False
    try:
        parse_size(value)
    except (ValueError, OverflowError):
        return False
    return True


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(fits(one) for one in value)


KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a text", _is_text),
    "integer": ("a whole number", _is_integer),
    "number": ("a number", _is_number),
    "release": ('a release of TensorFlow Lite, such as "2.5"', _is_release),
    "flag": ("`true` or `false`", lambda value: isinstance(value, bool)),
    "size": ('a size in bytes, such as "128 KiB" or 65536', _is_size),
    "table": ("a table", lambda value: isinstance(value, Mapping)),
    "texts": ("a list of texts", _list_of(_is_text)),
    "patterns": ("a list of regular expressions", _list_of(_is_pattern)),
    "shapes": (
        f'a list of shapes without the batch, such as ["{EXAMPLE}"] or ["picture={EXAMPLE}"]',
        _list_of(_is_shape),
    ),
    "integers": ("a list of whole numbers", _list_of(_is_integer)),
    "numbers": ("a list of numbers", _list_of(_is_number)),
    "tables": ("a list of tables", _list_of(lambda value: isinstance(value, Mapping))),
    "number_or_numbers": ("a number or a list of numbers", lambda v: _is_number(v) or _list_of(_is_number)(v)),
    "text_or_table": ("a text or a table", lambda value: isinstance(value, (str, Mapping))),
    "text_or_integer": ("a text or a whole number", lambda value: _is_text(value) or _is_integer(value)),
    "any": ("a value", lambda value: True),
}


_LISTS = ("texts", "patterns", "shapes", "integers", "numbers", "tables")


def _outside(value: Any, key: Key) -> tuple[str, ...]:
    """The limit and the found value, or nothing when the value is within the limits."""
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if key.lengths and isinstance(value, (list, tuple)) and len(value) not in key.lengths:
        return (
            f"limit: {_either(key.lengths)} element{'' if tuple(key.lengths) == (1,) else 's'}",
            f"found: {len(value)}",
        )
    for part in parts:
        limit = _limit(part, key)
        if limit:
            return (f"limit: {limit}", f"found: {part}")
    return ()


def _retyped(value: Any, key: Key) -> tuple[str, ...]:
    """How a value of another type may have been meant."""
    if isinstance(value, str) and key.kind in ("integer", "number") and KINDS[key.kind][1](_number(value)):
        return (f"write it without quotes: `{value.strip()}`",)
    if key.kind in _LISTS and KINDS[key.kind][1]([value]):
        return (f"put it in brackets: `[{json.dumps(value, ensure_ascii=False)}]`",)
    return (f"give {KINDS[key.kind][0]}, or leave the key out" if not key.required else f"give {KINDS[key.kind][0]}",)


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _remedy(value: Any, key: Key) -> tuple[str, ...]:
    """What would be allowed in place of a value that is not."""
    if key.choices:
        near = did_you_mean(value, key.choices) if isinstance(value, str) else ()
        return near or (f"take one of them, as in `{key.choices[0]}`",)
    several = isinstance(value, (list, tuple))
    if key.lengths and several and len(value) not in key.lengths:
        return (f"give it {_either(key.lengths)} of them",)
    return (f"give {'numbers' if several else 'a number'} {_range(key)}",)


def _range(key: Key) -> str:
    """All bounds in words: ``of at least 1``, ``above 0 and below 1``."""
    bounds = (
        ("of at least", key.minimum),
        ("above", key.above),
        ("of at most" if key.minimum is None else "at most", key.maximum),
        ("below", key.below),
    )
    return " and ".join(f"{word} {_plain(bound)}" for word, bound in bounds if bound is not None)


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() and abs(bound) < 10**15 else f"{bound:g}"


def _limit(part: Any, key: Key) -> str:
    if key.choices and isinstance(part, str) and part not in key.choices and not (key.entries and ":" in part):
        return f"one of {_listed(key.choices)}" + (", or `file.py:function` of your own" if key.entries else "")
    if isinstance(part, bool) or not isinstance(part, (int, float)):
        return ""
    if key.minimum is not None and part < key.minimum:
        return f"at least {_plain(key.minimum)}"
    if key.above is not None and part <= key.above:
        return f"more than {_plain(key.above)}"
    if key.below is not None and part >= key.below:
        return f"less than {_plain(key.below)}"
    return f"at most {_plain(key.maximum)}" if key.maximum is not None and part > key.maximum else ""


def _wrong(
    code: str, message: str, location: Location, notes: tuple[str, ...], help: tuple[str, ...] = ()
) -> Diagnostic:
    return Diagnostic(code=code, message=message, location=location, notes=notes, help=help)


def _absent(name: str, key: Key, file: str, table: str) -> Diagnostic:
    where = f"[{table}]" if table else "the top of the file"
    return Diagnostic(
        code="EC126",
        message=f"{where} lacks the key `{name}`",
        location=place(file, table, name),
        notes=(f"it must be {KINDS[key.kind][0]}",),
        help=(f"add `{name} = ...`",),
    )


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _either(lengths: tuple[int, ...]) -> str:
    return " or ".join(str(length) for length in lengths)
