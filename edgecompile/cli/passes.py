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
    from edgecompile.core.registry import modules_of
    from edgecompile.report.json import dump_object

    passes = [module for module in modules_of("edgecompile.compress") if hasattr(module, "PASS")]
    described = {module.__name__.rpartition(".")[2]: (module.__doc__ or "").partition("\n")[0] for module in passes}
    if as_json:
        console.result(dump_object({"passes": described}))
    elif described:
        console.result("\n".join(f"{name:<12}  {summary}" for name, summary in described.items()))
    else:
        console.say("this version has no compression passes yet: a build converts and quantizes the model as it is")
