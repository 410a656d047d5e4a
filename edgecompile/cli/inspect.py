"""`edgecompile inspect MODEL`: what a .tflite is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.ir.network import Network


@click.command("inspect", short_help="Show what a .tflite file is made of.")
@click.argument("model")
@click.option("--plot", metavar="FILE", help="Draw the operators, how they connect and what they take: .svg or .html.")
@shared_options
@click.pass_obj
def command(console: Console, model: str, plot: str | None, as_json: bool) -> None:
    """Show the operators, shapes, types, quantization, multiply-accumulates and bytes of a .tflite file.

    Of a model compiled for the Edge TPU also what is cached on chip and what is streamed, the runtime that it needs,
    its inputs and outputs, and the operators left on the CPU.
    """
    from edgecompile.core.errors import bad_input
    from edgecompile.frontend.source import open_model
    from edgecompile.ir.compiled import packages_of
    from edgecompile.ir.describe import describe
    from edgecompile.ir.reader import read
    from edgecompile.ir.text import text
    from edgecompile.report.json import dump_object

    source = open_model(model, Path.cwd())
    if source.kind != "tflite" or source.path is None:
        raise bad_input(
            "EC106",
            f"`{model}` is not a .tflite file",
            location=model,
            notes=("operators are known after conversion only; this is a model of Keras",),
            help=("build it first, as in `edgecompile build MODEL -t TARGET`, then inspect the .tflite in its folder",),
        )
    content = source.path.read_bytes()
    network = read(content, source.name)
    if plot is not None:
        _draw(plot, source.path.name, network)
        console.say(f"wrote {plot}")
    size_bytes = len(content)
    packages = packages_of(network, source.name)
    shown = describe(network, size_bytes, packages) if as_json else text(network, size_bytes, packages)
    console.result(shown if isinstance(shown, str) else dump_object(shown))


def _draw(file: str, name: str, network: Network) -> None:
    """Raises EC804 for a kind of picture that is not drawn, EC803, and EC190 without matplotlib."""
    from edgecompile.cli.files import write_file
    from edgecompile.core.errors import bad_input
    from edgecompile.libs.figures import standalone
    from edgecompile.report import model_plot

    kind = Path(file).suffix.lower()
    if kind == ".svg":
        write_file(file, standalone(model_plot.svg(name, network)))
    elif kind == ".html":
        write_file(file, model_plot.page(name, network))
    else:
        raise bad_input(
            "EC804",
            f"`--plot` draws no `{kind or file}`",
            file,
            notes=("kinds: .svg, .html",),
            help=("name a file that ends in .svg: browsers and drawing programs open it",),
        )
