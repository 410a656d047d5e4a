"""Fill in a template file: ``@name@`` for a value, lines ``@if x@ ... @end@`` and ``@each xs@ ... @end@``.

A value of several lines keeps the indentation of the line that names it alone. Names that the values do not have are
our fault and raise KeyError: a template never goes out half filled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

_DIRECTIVE = re.compile(r"^\s*@(if|unless|each|end)(?: (\w+))?@\s*$")
_ALONE = re.compile(r"^(\s*)@(\w+)@$")
_NAME = re.compile(r"@([a-z]\w*)@")


def template(name: str) -> str:
    """The text of a file in ``templates/glue``."""
    return (resources.files("edgecompile.templates") / "glue" / f"{name}.template").read_text(encoding="utf-8")


def fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with everything filled in; items of ``@each`` see the values around them too."""
    lines = text.splitlines()
    filled, end = _block(lines, 0, values)
    assert end == len(lines), f"@end@ without a beginning in line {end + 1}"
    return "\n".join(filled) + "\n"


def _block(lines: Sequence[str], start: int, values: Mapping[str, Any]) -> tuple[list[str], int]:
    """Lines from ``start`` to the ``@end@`` that closes them, filled in, and where that is."""
    filled: list[str] = []
    at = start
    while at < len(lines):
        found = _DIRECTIVE.match(lines[at])
        if found is None:
            filled += _line(lines[at], values)
        elif found[1] == "end":
            return filled, at
        else:
            end = _end_of(lines, at + 1)
            for scope in _scopes(found[1], values[found[2]], values):
                filled += _block(lines, at + 1, scope)[0]
            at = end
        at += 1
    return filled, at


def _scopes(kind: str, value: Any, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if kind == "each":
        return [{**values, **item} for item in value]
    return [values] if bool(value) == (kind == "if") else []


def _end_of(lines: Sequence[str], start: int) -> int:
    depth = 1
    for at in range(start, len(lines)):
        found = _DIRECTIVE.match(lines[at])
        depth += 0 if found is None else -1 if found[1] == "end" else 1
        if depth == 0:
            return at
    raise AssertionError("a block without its @end@")


def _line(line: str, values: Mapping[str, Any]) -> list[str]:
    alone = _ALONE.match(line)
    if alone is not None:
        return [f"{alone[1]}{row}".rstrip() for row in str(values[alone[2]]).splitlines()]
    return [_NAME.sub(lambda found: str(values[found[1]]), line)]
