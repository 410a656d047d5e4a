"""Options of passes: dataclass fields that say what they may hold, and steps of a recipe read into them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from edgecompile.compress.contract import Pass
from edgecompile.config.table import Key, check_table
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.recipe import Step

_KINDS = {bool: "flag", int: "integer", float: "number", str: "text"}


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    kind: str | None = None,
    entries: bool = False,
) -> Any:
    """A field of a pass: its default, one line of help, and the values allowed.

    ``minimum`` and ``maximum`` belong to the range, ``above`` and ``below`` do not. ``kind`` (a name of
    ``config.table.KINDS``) is found from the default unless that is None or a tuple. ``entries``:
    texts may name functions beside the choices.
    """
    key = Key(
        kind=kind or _KINDS[type(default)],
        choices=choices,
        minimum=minimum,
        maximum=maximum,
        above=above,
        below=below,
        entries=entries,
    )
    return dataclasses.field(default=default, metadata={"help": help, "key": key})


def keys_of(kind: type[Pass]) -> Mapping[str, Key]:
    """What each option of a pass may hold."""
    return {field.name: field.metadata["key"] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]


def check_options(kind: type[Pass], step: Step, file: str, table: str) -> tuple[Diagnostic, ...]:
    """EC123 to EC125 for options that the pass does not have or that hold what they may not."""
    return check_table(step.options, keys_of(kind), file=file, table=table)


def make(kind: type[Pass], step: Step) -> Pass:
    """The pass with the step's options, which were checked."""
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in step.options.items()}
    return kind(**options)
