"""Arm's Vela for Ethos-U: compiles the model and estimates cycles and memory, which become the report's figures."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.report import Measure
from edgecompile.core.units import counted, format_size, group
from edgecompile.ir import reader
from edgecompile.ir.network import Network
from edgecompile.libs import programs
from edgecompile.toolchain import compare
from edgecompile.toolchain.command import failed, run, warning, words_of
from edgecompile.toolchain.compile import Compiled, File, Request
from edgecompile.toolchain.vela_report import Reason, Summary, read_summary, reasons

NAME = "vela"
CUSTOM_CODE = "ethos-u"
_INSTALL = "pip install ethos-u-vela"
_FLAGS = {
    "accelerator": "--accelerator-config",
    "config": "--config",
    "system": "--system-config",
    "memory_mode": "--memory-mode",
    "optimise": "--optimise",
}
_LABELS = {
    "sram": "SRAM", "dram": "DRAM", "on_chip_flash": "on-chip flash", "off_chip_flash": "off-chip flash",
}  # fmt: skip


def compile(request: Request, folder: Path) -> Compiled:
    """``NAME_vela.tflite``, with the profile's accelerator, system and memory mode.

    Warnings: EC572 where Vela is not installed, EC573 and EC575 where it does not run to its end, EC577 where it leaves
    other operators to the CPU than predicted, EC578 where what it wrote cannot be read.
    """
    words = words_of(request, NAME, folder)
    if words is None:
        return _absent(request)
    (folder / f"{request.name}.tflite").write_bytes(request.content)
    flags = [word for key, flag in _FLAGS.items() if key in request.options for word in (flag, request.options[key])]
    arguments = [f"{request.name}.tflite", "--output-dir", ".", "--show-cpu-operations", *map(str, flags)]
    done = run(request, NAME, [*words, *arguments], folder)
    if isinstance(done, Diagnostic):
        return Compiled(summary=done.message, diagnostics=(done,))
    problem = failed(request, NAME, done)
    if problem is not None:
        return Compiled(summary=problem.message, diagnostics=(problem,))
    asked = programs.run([*words, "--version"], request.timeout_s, cwd=folder)
    version = f"Vela {asked.stdout.strip()}" if asked.returncode == 0 and asked.stdout.strip() else "Vela"
    return _read(request, folder, version, reasons(f"{done.stdout}\n{done.stderr}"))


def _absent(request: Request) -> Compiled:
    problem = warning(
        "EC572",
        "Vela is not installed: the model is written, and not compiled for the accelerator",
        request,
        ("looked for the program `vela` on the search path and beside Python",),
        (f"install it: {_INSTALL}", "or name a command: `command` under [compiler]"),
    )
    return Compiled(summary="Vela is not installed", diagnostics=(problem,))


def _read(request: Request, folder: Path, version: str, why: tuple[Reason, ...]) -> Compiled:
    path = folder / f"{request.name}_vela.tflite"
    written = next(iter(sorted(folder.glob(f"{request.name}_summary_*.csv"))), None)
    summary = read_summary(written.read_text(encoding="utf-8")) if written is not None else None
    try:
        network = reader.read(path.read_bytes() if path.is_file() else b"", path.name)
    except EdgecompileError as error:
        return _unreadable(request, version, path.name, error.diagnostics[0].message)
    if summary is None:
        return _unreadable(request, version, "the summary", "it does not hold the figures that Vela 5 writes")
    left = [operator.label for operator in network.main.operators if operator.custom_code != CUSTOM_CODE]
    differences = compare.placements(request.predicted, left)
    diagnostics = (_disagreement(request, version, differences, why),) if differences else ()
    return Compiled(
        summary=f"{group(summary.cycles)} cycles, {_memory(summary)}, {counted(len(left), 'operator')} on the CPU",
        version=version,
        files=(File(path=path.name, kind="vela_tflite", content=path.read_bytes()),),
        measures=_measures(version, summary, network, len(left)),
        diagnostics=diagnostics,
        details={
            "operators on the CPU, as Vela says": [f"{one.operator} ({one.layer}): {one.why}" for one in why],
            "cycles by what takes them": dict(summary.cycles_by_part),
        },
    )


def _measures(version: str, summary: Summary, network: Network, left: int) -> tuple[Measure, ...]:
    method = f"predicted by {version} for {summary.system}, {summary.mode}, at {summary.clock_hz / 1e6:g} MHz"
    counted = f"counted in the model that {version} wrote"
    kernels = sum(operator.custom_code == CUSTOM_CODE for operator in network.main.operators)
    return (
        Measure(name="operators_on_cpu", value=left, unit="count", method=counted),
        Measure(name="partitions", value=kernels, unit="count", method=counted),
        Measure(name="cycles", value=summary.cycles, unit="count", method=method),
        Measure(name="latency_ms", value=round(summary.duration_s * 1e3, 6), unit="ms", method=method),
        *(
            Measure(name=f"{kind}_bytes", value=size, unit="bytes", method=method)
            for kind, size in summary.memory_bytes.items()
        ),
    )


def _memory(summary: Summary) -> str:
    return ", ".join(f"{_LABELS[kind]} {format_size(size)}" for kind, size in summary.memory_bytes.items())


def _disagreement(request: Request, version: str, differences: tuple[str, ...], why: tuple[Reason, ...]) -> Diagnostic:
    told = tuple(f"{one.operator} ({one.layer}): {one.why}" for one in why)
    return warning(
        "EC577",
        f"{version} did otherwise than was predicted",
        request,
        (*differences, *told[:8]),
        ("what the compiler did counts, and the report gives its figures",),
    )


def _unreadable(request: Request, version: str, name: str, why: str) -> Compiled:
    problem = warning(
        "EC578",
        f"{version} says that it succeeded, and `{name}` cannot be read",
        request,
        (why,),
        ("run Vela by hand on the .tflite in the output folder", "edgecompile was made for Vela 5.2"),
    )
    return Compiled(summary=problem.message, version=version, diagnostics=(problem,))
