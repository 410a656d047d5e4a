"""Values as C text: arrays, numbers, comments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from edgecompile.kernels.routine import C_TYPES, Array

_WIDTH = 116


def array(name: str, values: Array) -> str:
    """The definition of a constant array, word-aligned so that kernels may read words of it."""
    numbers = [number(value) for value in values.reshape(-1)]
    rows = "\n".join(f"    {row}" for row in _wrapped(numbers))
    return f"static const {C_TYPES[values.dtype.name]} {name}[{len(numbers)}] EC_ALIGNED = {{\n{rows}\n}};"


def number(value: Any) -> str:
    """A literal that is exactly the value."""
    if isinstance(value, float | np.floating):
        return real(float(value))
    value = int(value)
    # A plain -2147483648 is a negated long.
    return f"({value + 1} - 1)" if value == -(1 << 31) else str(value)


def real(value: float) -> str:
    """A float literal with the digits that bring the float32 back."""
    text = repr(float(np.format_float_scientific(np.float32(value), unique=True)))
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def comment(text: str) -> str:
    """Text of a model's maker that cannot end the comment it stands in, in ASCII."""
    plain = text.encode("ascii", "replace").decode()
    return plain.replace("*/", "*_/").replace("/*", "/_*").replace("\\", "/").replace("\n", " ")


def _wrapped(words: Iterable[str]) -> list[str]:
    rows: list[str] = [""]
    for word in words:
        if rows[-1] and len(rows[-1]) + len(word) + 2 > _WIDTH:
            rows.append("")
        rows[-1] += f"{' ' if rows[-1] else ''}{word},"
    return rows
