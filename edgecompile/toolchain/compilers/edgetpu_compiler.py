"""Coral's `edgetpu_compiler`: run where it is found, its log and its model read, both held against the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.report import Measure
from edgecompile.core.units import counted, format_size
from edgecompile.ir import reader
from edgecompile.ir.compiled import CUSTOM_CODE, packages_of
from edgecompile.ir.network import Network
from edgecompile.ir.spelling import printable
from edgecompile.toolchain import compare
from edgecompile.toolchain.case_file import case_file
from edgecompile.toolchain.command import failed, run, warning, words_of
from edgecompile.toolchain.compile import Compiled, File, Request
from edgecompile.toolchain.edgetpu_log import Log, read_log

NAME = "edgetpu_compiler"


def compile(request: Request, folder: Path) -> Compiled:
    """``NAME_edgetpu.tflite`` and the compiler's log; models ``beside`` it are compiled in the same run, and given too.

    Where the program is absent: nothing, the prediction stands.
    Warnings: EC573 and EC575 where it does not run to its end, EC574 where it refuses the model, EC576 where its log
    is not as known, EC577 where it did otherwise than predicted, EC578 where what it wrote cannot be read.
    """
    words = words_of(request, NAME, folder)
    if words is None:
        return Compiled(summary=f"{NAME} is not on the search path: the prediction stands")
    models = (*request.beside, (request.name, request.content))
    for name, content in models:
        (folder / f"{name}.tflite").write_bytes(content)
    # The profile keeps one part; without a bound the user wants them all.
    every_part = ["-a"] if request.target.placement.max_partitions is None else []
    arguments = ["-s", "-o", ".", "-t", str(request.timeout_s), *every_part, *(f"{name}.tflite" for name, _ in models)]
    done = run(request, NAME, [*words, *arguments], folder)
    if isinstance(done, Diagnostic):
        return Compiled(summary=done.message, diagnostics=(done,))
    text = f"{done.stdout}\n{done.stderr}"
    log = read_log(text, f"{request.name}.tflite")
    version = f"{NAME} {log.version}".strip()
    problem = _refused(request, log) or failed(request, NAME, done)
    if problem is not None:
        return Compiled(summary=problem.message, version=version, diagnostics=(problem,))
    return _read(request, folder, log, version, text)


def _refused(request: Request, log: Log) -> Diagnostic | None:
    """EC574 with the compiler's own line."""
    if not log.failure:
        return None
    return warning(
        "EC574",
        f"`{NAME}` compiled nothing",
        request,
        (f"it said: {log.failure}", f"version: {log.version or 'not said'}"),
        ("the .tflite runs on the CPU as it is; see what was predicted of its operators in the report",),
    )


def _read(request: Request, folder: Path, log: Log, version: str, text: str) -> Compiled:
    path = folder / f"{request.name}_edgetpu.tflite"
    content = path.read_bytes() if path.is_file() else b""
    if not content and not log.known:
        problem = _unknown_log(request, text, "it wrote no model")
        return Compiled(summary=problem.message, version=version, diagnostics=(problem,))
    try:
        network = reader.read(content, path.name)
        packages = packages_of(network, path.name)
    except EdgecompileError as error:
        problem = _unreadable(request, path.name, error)
        return Compiled(summary=problem.message, version=version, diagnostics=(problem,))
    left = _left(network)
    found = {
        "cached_bytes": sum(package.cached_bytes for package in packages),
        "streamed_bytes": sum(package.streamed_bytes for package in packages),
    }
    differences = _differences(request, log, left, found)
    files = [File(path=path.name, kind="edgetpu_tflite", content=content), *_beside(request, folder)]
    diagnostics = []
    if differences:
        files.append(case_file(request, log=text, version=version, compiled=content, differences=differences))
        diagnostics.append(_disagreement(request, version, differences, files[-1].path))
    if not log.known:
        diagnostics.append(_unknown_log(request, text))
    total = len(request.predicted)
    summary = (
        f"{total - len(left)} of {counted(total, 'operator')} compiled, {format_size(found['cached_bytes'])} cached"
    )
    return Compiled(
        summary=summary,
        version=version,
        files=tuple(files),
        measures=_measures(version, left, len(packages), found),
        diagnostics=tuple(diagnostics),
        details={"compiler log": [f"{row.name} x {row.count}: {row.status}" for row in log.rows]} if log.rows else {},
    )


def _beside(request: Request, folder: Path) -> list[File]:
    """The models before this one as they came out of the same run: only models of one run share the cache."""
    paths = [folder / f"{name}_edgetpu.tflite" for name, _ in request.beside]
    return [File(path=p.name, kind="edgetpu_tflite", content=p.read_bytes()) for p in paths if p.is_file()]


def _left(network: Network) -> list[str]:
    """Operators of the compiled model that are no compiled ones: the CPU runs them."""
    return [operator.label for operator in network.main.operators if operator.custom_code != CUSTOM_CODE]


def _differences(request: Request, log: Log, left: Sequence[str], found: dict[str, int]) -> tuple[str, ...]:
    worded = any(one.status for one in request.predicted)
    rows = [(row.name, row.count, row.status) for row in log.rows]
    mapping = compare.statuses(request.predicted, rows) if rows and worded else ()
    return (*(mapping or compare.placements(request.predicted, left)), *compare.memory(request.measures, found))


def _measures(version: str, left: Sequence[str], packages: int, found: dict[str, int]) -> tuple[Measure, ...]:
    method = f"counted in the model that {version} wrote"
    return (
        Measure(name="operators_on_cpu", value=len(left), unit="count", method=method),
        Measure(name="partitions", value=packages, unit="count", method=method),
        *(Measure(name=name, value=value, unit="bytes", method=method) for name, value in found.items()),
    )


def _disagreement(request: Request, version: str, differences: Sequence[str], case: str) -> Diagnostic:
    return warning(
        "EC577",
        f"`{version}` did otherwise than was predicted",
        request,
        tuple(differences),
        (
            "what the compiler did counts, and the report gives its figures",
            f"please send `{case}` to the maintainers of edgecompile: it holds the model, the log and the prediction",
        ),
    )


def _unknown_log(
    request: Request, text: str, then: str = "the figures are counted in the model that it wrote"
) -> Diagnostic:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
    return warning(
        "EC576",
        f"the log of `{NAME}` is not as known versions print it",
        request,
        (f"it begins: {printable(first)[:100]}", then),
        ("tell the maintainers of edgecompile which version it is",),
    )


def _unreadable(request: Request, name: str, error: EdgecompileError) -> Diagnostic:
    return warning(
        "EC578",
        f"`{NAME}` says that it succeeded, and `{name}` cannot be read",
        request,
        tuple(diagnostic.message for diagnostic in error.diagnostics),
        ("run the compiler by hand on the .tflite in the output folder", "see whether the disk is full"),
    )
