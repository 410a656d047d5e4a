"""The JSON Schema of what the commands print with ``--json``, and of `report.json`."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

# Definitions that others are made of, and no command prints by itself.
_SHAPES = frozenset(
    {
        "diagnostic",
        "measure",
        "stage",
        "artifact",
        "operator",
        "memory_map",
        "record",
        "tensor",
        "target",
        "found",
        "figures",
    }
)


def whole() -> dict[str, Any]:
    """The schema that any output holds."""
    text = (resources.files("edgecompile.report") / "schema.json").read_text(encoding="utf-8")
    plain: dict[str, Any] = json.loads(text)
    return plain


def names() -> tuple[str, ...]:
    """What :func:`part` takes: commands, and ``report``, ``reports`` and ``failure``."""
    return tuple(name for name in whole()["$defs"] if name not in _SHAPES)


def part(name: str) -> dict[str, Any]:
    """The schema of one command's output, or of a report. Raises KeyError for another name."""
    found = whole()
    if name not in found["$defs"]:
        raise KeyError(name)
    return {"$schema": found["$schema"], "$ref": f"#/$defs/{name}", "$defs": found["$defs"]}
