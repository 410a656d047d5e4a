"""Shell completion: the script that a shell takes in, and what it asks for at each Tab, as Click has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

VARIABLE = "_EDGECOMPILE_COMPLETE"


def complete(environment: Mapping[str, str]) -> int | None:
    """Answer what a shell asks by the environment variable; None where nothing was asked."""
    instruction = environment.get(VARIABLE)
    if not instruction:
        return None
    from click.shell_completion import shell_complete

    from edgecompile.cli.application import edgecompile

    return shell_complete(edgecompile, {}, "edgecompile", VARIABLE, instruction)


def targets(context: click.Context, parameter: click.Parameter, begun: str) -> Sequence[str]:
    """Names of devices that open with what was typed."""
    from edgecompile.config.profiles import names

    return [name for name in names() if name.startswith(begun)]


def recipes(context: click.Context, parameter: click.Parameter, begun: str) -> Sequence[str]:
    """Names of shipped recipes that open with what was typed."""
    from edgecompile.config.recipes import AUTO, shipped

    return [name for name in (AUTO, *shipped()) if name.startswith(begun)]


def codes(context: click.Context, parameter: click.Parameter, begun: str) -> Sequence[str]:
    """Codes of diagnostics that open with what was typed."""
    from edgecompile.explanations import codes as known

    return [code for code in known() if code.startswith(begun.upper())]
