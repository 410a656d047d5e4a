"""`edgecompile passes`: the compression passes that a recipe may name."""

from __future__ import annotations

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options


@click.command("passes", short_help="List the compression passes.")
@shared_options
@click.pass_obj
def command(console: Console, as_json: bool) -> None:
    """List the compression passes that a recipe may name."""
    from edgecompile.compress.contract import passes
    from edgecompile.report.json import dump_object

    described = {name: (kind.__doc__ or "").partition("\n")[0] for name, kind in passes().items()}
    if as_json:
        console.result(dump_object({"passes": described}))
    elif described:
        console.result("\n".join(f"{name:<12}  {summary}" for name, summary in described.items()))
    else:
        console.say("this version has no compression passes yet: a build converts and quantizes the model as it is")
