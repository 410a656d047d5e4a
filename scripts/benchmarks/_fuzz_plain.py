"""Mutations of JSON that describes a model: a piece of it replaced by nonsense, or by what would run code."""

from __future__ import annotations

import copy
import random
from typing import Any

_LAMBDA = {"class_name": "Lambda", "config": {"name": "evil", "function": ["4wAAAA==", None, None]}}
_NONSENSE: tuple[Any, ...] = (
    None, [], {}, -1, 1e308, "x" * 300, True, _LAMBDA, {"class_name": "Dense", "config": None}, [[[]]],
    "../../x", "\x1b[2J",
    {"class_name": "function", "config": "system", "module": "os"},
    {"class_name": "TFOpLambda", "config": {"function": "io.read_file"}},
    {"class_name": "StringLookup", "config": {"name": "s", "trainable": True, "vocabulary": "/etc/passwd"}},
)  # fmt: skip


def replace_one(draw: random.Random, plain: Any) -> None:
    """Go down some levels and put something else there."""
    at: Any = plain
    for _ in range(8):
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            return
        key = draw.choice(keys)
        if not isinstance(at[key], (dict, list)) or not at[key] or draw.random() < 0.2:
            at[key] = copy.deepcopy(draw.choice(_NONSENSE))
            return
        at = at[key]
