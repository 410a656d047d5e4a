"""Options that several commands share, and those that must be known before the command line is parsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

COLORS = ("auto", "always", "never")


def command_line_options(function: F) -> F:
    """``--color`` and ``--debug``: read by :func:`asked` before parsing, declared here for help and spelling."""
    function = click.option(
        "--debug", is_flag=True, expose_value=False, help="Print a traceback if edgecompile itself breaks."
    )(function)
    return click.option(
        "--color", type=click.Choice(COLORS), expose_value=False, help="Colour the terminal; auto obeys NO_COLOR."
    )(function)


def shared_options(function: F) -> F:
    """What every command has: ``--json``, ``--quiet``, ``--verbose``, ``--color``, ``--debug``."""
    function = command_line_options(function)
    function = click.option(
        "--verbose", "-v", is_flag=True, expose_value=False, help="Say more about what happens, and how long it took."
    )(function)
    function = click.option("--quiet", "-q", is_flag=True, expose_value=False, help="Say only what went wrong.")(
        function
    )
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, on failure too.")(
        function
    )


def asked(words: Sequence[str], *names: str) -> bool:
    """A flag stands on the command line. Looked up before parsing, since parsing itself may have to report."""
    known = words[: words.index("--")] if "--" in words else words
    return any(name in known for name in names)


def value_of(words: Sequence[str], name: str) -> str | None:
    """The value of ``--name value`` or ``--name=value``, the last one counting; None where it is not given."""
    found = None
    for index, word in enumerate(words):
        if word == name and index + 1 < len(words):
            found = words[index + 1]
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found
