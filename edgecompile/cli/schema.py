"""`edgecompile schema`: the form of what `--json` prints, for programs that read it."""

from __future__ import annotations

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options


@click.command("schema", short_help="Print the JSON Schema of what --json prints.")
@click.argument("name", required=False)
@shared_options
@click.pass_obj
def command(console: Console, name: str | None, as_json: bool) -> None:
    """Print the JSON Schema (2020-12) of everything that `--json` prints and of report.json.

    NAME is a command, such as `build`, or `report` or `failure`: the schema of that alone.
    """
    from edgecompile.core.errors import bad_input, did_you_mean
    from edgecompile.report.json import dump_object
    from edgecompile.report.schema import names, part, whole

    if name is not None and name not in names():
        raise bad_input(
            "EC802",
            f"there is no schema `{name}`",
            notes=(f"schemas: {', '.join(names())}",),
            help=did_you_mean(name, names()),
        )
    console.result(dump_object(whole() if name is None else part(name)))
