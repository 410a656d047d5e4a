"""`edgecompile run DIR --on host`: run what was built on given inputs, or measure how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.cli.run_inputs import Built
    from edgecompile.libs.litert import Outputs, RuntimeInfo

_SHOWN = 10
_INPUT_NAMES = "by name in a .npz, or one array in a .npy"


@click.command("run", short_help="Run or measure what was built.")
@click.argument("directory", metavar="DIR")
@click.option("--on", type=click.Choice(["host"]), required=True, help="Where to run: host is this machine.")
@click.option("--inputs", metavar="FILE", help=f"Inputs, samples first: {_INPUT_NAMES}.")
@click.option("--save", metavar="FILE", help="Write all outputs to this .npz.")
@click.option("--bench", is_flag=True, help="Measure latency instead: median and 95th percentile, warm-up apart.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=100, show_default=True, help="Invocations that --bench measures."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads of --bench.")
@shared_options
@click.pass_obj
def command(
    console: Console,
    directory: str,
    on: str,
    inputs: str | None,
    save: str | None,
    bench: bool,
    runs: int,
    threads: int,
    as_json: bool,
) -> None:
    """Run what was built on real inputs.

    DIR is the folder that a build wrote for one target. Floats are quantized as the model's input asks for; integers
    are taken as they are.
    """
    from edgecompile.cli.run_inputs import find_build
    from edgecompile.core.errors import bad_input

    if inputs is None and not bench:
        raise bad_input(
            "EC103",
            "`--inputs` is missing",
            location="edgecompile run",
            help=("give a file of inputs, or measure with `--bench`",),
        )
    built = find_build(directory)
    runtime = _runtime(console, built)
    if inputs is not None:
        _run(console, built, runtime, inputs, save)
    if bench:
        _bench(console, built, runtime, runs, threads)


def _runtime(console: Console, built: Built) -> RuntimeInfo:
    """The target's judge where it is installed, else what runs a .tflite here. Raises EC190 when nothing does."""
    from edgecompile.config.profiles import load, names
    from edgecompile.libs.litert import choose, missing_interpreter

    judge = load(built.target).judge if built.target in names() else "tflite"
    runtime = choose(judge)
    if not runtime.available and judge != "tflite":
        console.say(f"{judge} is not installed here; answers may differ from the device's by some steps")
        runtime = choose("tflite")
    if not runtime.available:
        raise missing_interpreter("tflite")
    return runtime


def _run(console: Console, built: Built, runtime: RuntimeInfo, inputs: str, save: str | None) -> None:
    from edgecompile.cli.run_inputs import read_inputs
    from edgecompile.libs.litert import invoke, ports
    from edgecompile.report.json import dump_object

    name = built.path.name
    model = built.content
    console.begin("run", name)
    into, _ = ports(model, runtime=runtime, name=name)
    arrays = read_inputs(inputs, [port.name for port in into])
    outputs = invoke(model, arrays, runtime=runtime, progress=console, name=name)
    console.end(f"{outputs.samples} samples, {outputs.described}")
    if save is not None:
        _save(save, outputs)
    real = {port.name: array.tolist() for port, array in zip(outputs.outputs, outputs.real(), strict=True)}
    if console.json:
        console.result(dump_object({"schema": 1, "model": str(built.path), "by": outputs.described, "outputs": real}))
    else:
        console.result("\n".join(_lines(outputs)))


def _save(save: str, outputs: Outputs) -> None:
    import numpy as np

    arrays: dict[str, Any] = {port.name: array for port, array in zip(outputs.outputs, outputs.real(), strict=True)}
    with open(save, "wb") as stream:
        np.savez(stream, **arrays)


def _lines(outputs: Outputs) -> list[str]:
    """The first samples: the largest value of a vector and where it is, else the shape and range."""
    lines = []
    for port, array in zip(outputs.outputs, outputs.real(), strict=True):
        lines.append(f"{port.name} {port.dtype}{list(array.shape)}")
        for index, value in enumerate(array[:_SHOWN]):
            flat = value.reshape(-1)
            best = f"largest {flat.max():.4g} at {int(flat.argmax())}" if flat.size else "empty"
            lines.append(f"  sample {index}: {flat[0]:.6g}" if flat.size == 1 else f"  sample {index}: {best}")
        if len(array) > _SHOWN:
            lines.append(f"  and {len(array) - _SHOWN} more; `--save FILE.npz` or `--json` give all")
    return lines


def _bench(console: Console, built: Built, runtime: RuntimeInfo, runs: int, threads: int) -> None:
    from edgecompile.report.json import dump_object

    raise NotImplementedError
