"""The vocabulary of operator clauses: what each word allows, in a sentence, and what to do when it fails.

A rule is a function ``rule(context, limit)`` that returns None when the operator keeps it, else
what was found. The first line of its docstring is the user's sentence, with ``{limit}`` in it;
the rest is the help.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from edgecompile.legalize import (
    rules_delegates,
    rules_inputs,
    rules_layers,
    rules_scales,
    rules_settings,
    rules_shapes,
    rules_types,
)
from edgecompile.legalize.context import Context

Rule = Callable[[Context, Any], "str | None"]


def _rules_of(module: ModuleType) -> dict[str, Rule]:
    own = (member for member in vars(module).values() if getattr(member, "__module__", "") == module.__name__)
    return {member.__name__: member for member in own if inspect.isfunction(member) and member.__name__[0] != "_"}


_MODULES = (rules_types, rules_shapes, rules_settings, rules_inputs, rules_delegates, rules_layers, rules_scales)
RULES: Mapping[str, Rule] = {name: rule for module in _MODULES for name, rule in _rules_of(module).items()}


def sentence(name: str, limit: Any) -> str:
    """What the rule allows, for people."""
    told = _parts(name)[0].replace("{limit}", _worded(limit))
    return re.sub(r"\b1 (\w+)s\b", r"1 \1", told) if limit == 1 else told


def remedy(name: str) -> str:
    """What to do when the rule fails."""
    return _parts(name)[1]


def _parts(name: str) -> tuple[str, str]:
    first, _, rest = inspect.cleandoc(RULES[name].__doc__ or name).partition("\n\n")
    return first, " ".join(rest.split())


def _worded(limit: Any) -> str:
    if isinstance(limit, Mapping):
        return ", ".join(f"{_key(key)} {_worded(value)}" for key, value in limit.items())
    if isinstance(limit, (list, tuple)):
        words = [_worded(one) for one in limit]
        return words[-1] if len(words) < 2 else f"{', '.join(words[:-1])} or {words[-1]}"
    if isinstance(limit, bool):
        return str(limit).lower()
    return f"{limit:,}".replace(",", " ") if isinstance(limit, int) else str(limit)


def _key(key: str) -> str:
    return f"input {key}:" if key.isdigit() else f"`{key}`"
