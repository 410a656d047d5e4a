"""`edgecompile run DIR --on host|qemu|arm64|adb`: run what was built on given inputs, or measure what it takes."""

from __future__ import annotations

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options


@click.command("run", short_help="Run or measure what was built.")
@click.argument("directory", metavar="DIR")
@click.option(
    "--on",
    type=click.Choice(["host", "qemu", "arm64", "adb"]),
    required=True,
    help="Where to run: this machine, an emulated board, an emulated phone's processor, an attached phone.",
)
@click.option(
    "--inputs",
    metavar="FILE",
    help="Inputs: a .npz by name or a .npy, samples first; or a .wav.",
)
@click.option("--save", metavar="FILE", help="Write all outputs to this .npz.")
@click.option("--bench", is_flag=True, help="Measure latency: median and 95th percentile, warm-up apart.")
@click.option(
    "--runs", type=click.IntRange(min=1), default=100, show_default=True, help="Invocations that --bench measures."
)
@click.option("--profile", is_flag=True, help="On qemu: what each operator takes.")
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
    if profile and on != "qemu":
        from edgecompile.core.errors import bad_input

        raise bad_input(
            "EC104", "`--profile` needs `--on qemu`", "edgecompile run", help=("measure here with `--bench`",)
        )
    if on == "qemu":
        from edgecompile.cli.run_board import run_board

        run_board(console, directory, inputs, save, bench, profile, as_json)
    elif on == "adb":
        from edgecompile.cli.run_adb import run_on_adb

        run_on_adb(console, directory, inputs, benchmark, device, runs, threads, as_json)
    elif on == "arm64":
        from edgecompile.cli.run_arm64 import run_on_arm64

        run_on_arm64(console, directory, inputs, save, bench, as_json)
    else:
        from edgecompile.cli.run_host import run_on_host

        run_on_host(console, directory, inputs, save, bench, runs, threads, as_json)
