"""`edgecompile run DIR --on adb`: latency on an attached Android device."""

from __future__ import annotations

from pathlib import Path

from edgecompile.cli.console import Console
from edgecompile.core.units import counted


def run_on_adb(
    console: Console,
    directory: str,
    inputs: str | None,
    program: str | None,
    serial: str | None,
    runs: int,
    threads: int,
    as_json: bool,
) -> None:
    """Push, run, print. Raises EC104 for inputs, EC778, EC110, EC112, and what ``bench_on_phone`` raises."""
    from edgecompile.cli.run_inputs import find_build
    from edgecompile.config.profiles import load, names
    from edgecompile.core.errors import bad_input
    from edgecompile.measure.phone import bench_on_phone
    from edgecompile.report.json import dump_object

    if inputs is not None:
        help = ("the benchmark feeds the model by itself; answers are compared with `--on arm64`",)
        raise bad_input("EC104", "`--inputs` needs another place than adb", "edgecompile run", help=help)
    if program is not None and not Path(program).is_file():
        raise bad_input("EC778", f"there is no benchmark program `{program}`", program, help=("name the file itself",))
    built = find_build(directory)
    assert built.content  # the checksum is looked at when it is read
    accelerator = load(built.target).placement.accelerator if built.target in names() else "cpu"
    console.begin("bench", built.path.name)
    found = bench_on_phone(
        built.path,
        accelerator,
        program=Path(program) if program else None,
        serial=serial,
        runs=runs,
        threads=threads,
    )
    console.end(f"{counted(found.runs, 'run')} on {found.device}")
    if as_json:
        console.result(dump_object({"schema": 1, "model": str(built.path), "bench": found.to_dict()}))
        return
    figures = (
        ("average", found.average_ms),
        ("fastest", found.min_ms),
        ("slowest", found.max_ms),
        ("first", found.first_ms),
        ("warm-up, average", found.warm_up_ms),
        ("initialization", found.init_ms),
    )
    lines = [f"{label:<17} {value:.3f} ms" for label, value in figures]
    threads_word = counted(threads, "thread")
    lines.append(f"measured on {found.device}, asked for {accelerator}, {threads_word}, {counted(found.runs, 'run')}")
    console.result("\n".join([*lines, *found.said]))
