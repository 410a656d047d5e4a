"""`edgecompile run DIR --on host`: what was built, run or timed on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecompile.cli.console import Console
from edgecompile.cli.run_inputs import find_build
from edgecompile.cli.run_outputs import save_outputs, shown
from edgecompile.core.errors import bad_input
from edgecompile.core.units import counted
from edgecompile.report.json import dump_object

if TYPE_CHECKING:
    from edgecompile.cli.run_inputs import Built
    from edgecompile.libs.litert import Outputs, RuntimeInfo

_FIGURES = (
    ("median_ms", "median"),
    ("p95_ms", "95th percentile"),
    ("min_ms", "fastest"),
    ("first_ms", "first"),
    ("warm_up_median_ms", "warm-up, median"),
)


def run_on_host(
    console: Console,
    directory: str,
    inputs: str | None,
    save: str | None,
    bench: bool,
    runs: int,
    threads: int,
    as_json: bool,
) -> None:
    """Run the inputs, measure latency, or both; results go to stdout.

    Raises EC110 for a folder that holds no build, EC103 where neither was asked for.
    """
    built = find_build(directory)
    if inputs is None and not bench:
        raise bad_input(
            "EC103",
            "`--inputs` is missing",
            location="edgecompile run",
            help=("give a file of inputs, or measure with `--bench`",),
        )
    whole: dict[str, Any] = {"schema": 1, "model": str(built.path)}
    lines: list[str] = []
    if inputs is not None:
        outputs = _run(console, built, _judge(console, built), inputs)
        if save is not None:
            save_outputs(save, _named(outputs))
        whole |= {"by": outputs.described, "outputs": {name: real.tolist() for name, real in _named(outputs).items()}}
        dtypes = {port.name: str(port.dtype) for port in outputs.outputs}
        lines += shown(_named(outputs), dtypes, built.labels)
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
    from edgecompile.cli.run_sound import clip_of, features_of, is_sound
    from edgecompile.libs.litert import invoke, ports

    name, model = built.path.name, built.content
    console.begin("run", name)
    into, _ = ports(model, runtime=runtime, name=name)
    if is_sound(inputs):
        heard = features_of(clip_of(inputs, built.data), built.data)
        arrays: tuple[Any, ...] = (heard.reshape(1, *into[0].shape[1:]),)
    else:
        arrays = read_inputs(inputs, [port.name for port in into])
    outputs = invoke(model, arrays, runtime=runtime, progress=console, name=name)
    console.end(f"{counted(outputs.samples, 'sample')}, {outputs.described}")
    return outputs


def _named(outputs: Outputs) -> dict[str, Any]:
    """Each output's real values under its tensor's name."""
    return {port.name: array for port, array in zip(outputs.outputs, outputs.real(), strict=True)}


def _bench(
    console: Console, built: Built, runtime: RuntimeInfo, runs: int, threads: int
) -> tuple[dict[str, Any], list[str]]:
    from edgecompile.measure.host import bench

    name = built.path.name
    console.begin("bench", name)
    found = bench(built.content, runtime=runtime, runs=runs, threads=threads, name=name, progress=console)
    by = f"{found.described}, {counted(threads, 'thread')}"
    console.end(f"{counted(runs, 'run')}, {by}")
    figures = found.to_dict()
    lines = [f"{label:<16} {figures[key]:.3f} ms" for key, label in _FIGURES]
    return figures, [*lines, f"measured on this machine: {by}, {counted(runs, 'run')} after {found.warm_up} of warm-up"]
