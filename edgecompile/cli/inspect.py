"""`edgecompile inspect MODEL`: what a .tflite is made of."""

from __future__ import annotations

from pathlib import Path

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options


@click.command("inspect", short_help="Show what a .tflite file is made of.")
@click.argument("model")
@shared_options
@click.pass_obj
def command(console: Console, model: str, as_json: bool) -> None:
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
    size_bytes = len(content)
    packages = packages_of(network, source.name)
    shown = describe(network, size_bytes, packages) if as_json else text(network, size_bytes, packages)
    console.result(shown if isinstance(shown, str) else dump_object(shown))
