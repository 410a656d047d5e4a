"""`edgecompile run DIR --on host|qemu|arm64|adb`: run what was built on given inputs, or measure what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.cli.run_inputs import Built
    from edgecompile.libs.litert import Outputs, RuntimeInfo

_SHOWN = 10
_FIGURES = (
    ("median_ms", "median"),
    ("p95_ms", "95th percentile"),
    ("min_ms", "fastest"),
    ("first_ms", "first"),
    ("warm_up_median_ms", "warm-up, median"),
)


@click.command("run", short_help="Run or measure what was built.")
@click.argument("directory", metavar="DIR")
@click.option(
    "--on",
    type=click.Choice(["host", "qemu", "arm64", "adb"]),
    required=True,
    help="Where to run: this machine, an emulated board, an emulated phone's processor, an attached phone.",
)
@click.option("--inputs", metavar="FILE", help="Inputs: a .npz by name, or a .npy; samples first.")
@click.option("--save", metavar="FILE", help="Write all outputs to this .npz.")
@click.option("--bench", is_flag=True, help="Measure latency: median and 95th percentile, warm-up apart.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=100, show_default=True, help="Invocations that --bench measures."
)
@click.option("--profile", is_flag=True, help="On qemu: instructions of each operator.")
@click.option("--benchmark", metavar="FILE", help="On adb: TensorFlow Lite's benchmark_model, for the device.")
@click.option("--device", metavar="SERIAL", help="On adb: which device, where several are attached.")
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
    profile: bool,
    benchmark: str | None,
    device: str | None,
    threads: int,
    as_json: bool,
) -> None:
    """Run what was built on real inputs.

    DIR is the folder that a build wrote for one target. Values are quantized as the model's input asks for;
    integers of the input's own type are taken as they are. On qemu the firmware is built and run on an emulated
    board: its self-test, then the inputs where some are given; instructions, flash, RAM and stack are counted.
    On arm64 an ARM64 interpreter runs the model under emulation (on noise without inputs), and its answers are held
    against this machine's; `edgecompile doctor --install arm64` sets it up. On adb the benchmark of TensorFlow Lite
    measures latency on the attached Android device.
    """
    if on == "qemu":
        from edgecompile.cli.run_board import run_board

        run_board(console, directory, inputs, save, bench, profile, as_json)
        return
    if on == "adb" and not profile:
        from edgecompile.cli.run_adb import run_on_adb

        run_on_adb(console, directory, inputs, benchmark, device, runs, threads, as_json)
        return
    if on == "arm64" and not profile:
        from edgecompile.cli.run_arm64 import run_on_arm64

        run_on_arm64(console, directory, inputs, save, bench, as_json)
        return
    from edgecompile.cli.run_inputs import find_build
    from edgecompile.core.errors import bad_input
    from edgecompile.report.json import dump_object

    if profile:
        raise bad_input(
            "EC104", "`--profile` needs `--on qemu`", "edgecompile run", help=("measure here with `--bench`",)
        )
    if inputs is None and not bench:
        raise bad_input(
            "EC103",
            "`--inputs` is missing",
            location="edgecompile run",
            help=("give a file of inputs, or measure with `--bench`",),
        )
    built = find_build(directory)
    whole: dict[str, Any] = {"schema": 1, "model": str(built.path)}
    lines: list[str] = []
    if inputs is not None:
        outputs = _run(console, built, _judge(console, built), inputs)
        if save is not None:
            save_outputs(save, _named(outputs))
        whole |= {"by": outputs.described, "outputs": {name: real.tolist() for name, real in _named(outputs).items()}}
        lines += shown(_named(outputs), {port.name: str(port.dtype) for port in outputs.outputs})
    if bench:
        whole["bench"], timed = _bench(console, built, _runtime("tflite"), runs, threads)
        lines += timed
    console.result(dump_object(whole) if as_json else "\n".join(lines))


def _judge(console: Console, built: Built) -> RuntimeInfo:
    """What answers for the target where it is installed here, else what runs a .tflite."""
    from edgecompile.config.profiles import load, names
    from edgecompile.libs.litert import choose

    judge = load(built.target).judge if built.target in names() else "tflite"
    runtime = choose(judge)
    if runtime.available:
        return runtime
    if judge != "tflite":
        console.say(f"{judge} is not installed here; answers may differ from the device's by some steps")
    return _runtime("tflite")


def _runtime(judge: str) -> RuntimeInfo:
    """The interpreter for a judge. Raises EC190 when none is installed."""
    from edgecompile.libs.litert import choose, missing_interpreter

    runtime = choose(judge)
    if not runtime.available:
        raise missing_interpreter(judge)
    return runtime


def _run(console: Console, built: Built, runtime: RuntimeInfo, inputs: str) -> Outputs:
    from edgecompile.cli.run_inputs import read_inputs
    from edgecompile.libs.litert import invoke, ports

    name, model = built.path.name, built.content
    console.begin("run", name)
    into, _ = ports(model, runtime=runtime, name=name)
    arrays = read_inputs(inputs, [port.name for port in into])
    outputs = invoke(model, arrays, runtime=runtime, progress=console, name=name)
    console.end(f"{outputs.samples} samples, {outputs.described}")
    return outputs


def _named(outputs: Outputs) -> dict[str, Any]:
    """Each output's real values under its tensor's name."""
    return {port.name: array for port, array in zip(outputs.outputs, outputs.real(), strict=True)}


def save_outputs(save: str, named: dict[str, Any]) -> None:
    """Write the outputs, whole or not at all. Raises EC107 where they cannot be written."""
    import numpy as np

    from edgecompile.core.errors import bad_input

    part = Path(f"{save}.part")
    try:
        try:
            with part.open("wb") as stream:
                np.savez(stream, **named)
            part.replace(save)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise bad_input(
            "EC107",
            f"`{save}` cannot be written: {reason}",
            location=save,
            help=("name a file in a folder that is there and may be written, after `--save`",),
        ) from error


def shown(named: dict[str, Any], dtypes: dict[str, str]) -> list[str]:
    """The first samples: the largest value of a vector and where it is, else the shape and range."""
    lines = []
    for name, array in named.items():
        lines.append(f"{name} {dtypes[name]}{list(array.shape)}")
        for index, value in enumerate(array[:_SHOWN]):
            flat = value.reshape(-1)
            best = f"largest {flat.max():.4g} at {int(flat.argmax())}" if flat.size else "empty"
            lines.append(f"  sample {index}: {flat[0]:.6g}" if flat.size == 1 else f"  sample {index}: {best}")
        if len(array) > _SHOWN:
            lines.append(f"  and {len(array) - _SHOWN} more; `--save FILE.npz` or `--json` give all")
    return lines


def _bench(
    console: Console, built: Built, runtime: RuntimeInfo, runs: int, threads: int
) -> tuple[dict[str, Any], list[str]]:
    from edgecompile.measure.host import bench

    name = built.path.name
    console.begin("bench", name)
    found = bench(built.content, runtime=runtime, runs=runs, threads=threads, name=name, progress=console)
    by = f"{found.described}, {threads} thread{'s' if threads > 1 else ''}"
    console.end(f"{runs} runs, {by}")
    figures = found.to_dict()
    lines = [f"{label:<16} {figures[key]:.3f} ms" for key, label in _FIGURES]
    return figures, [*lines, f"measured on this machine: {by}, {runs} runs after {found.warm_up} of warm-up"]
