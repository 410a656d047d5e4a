"""The board's side of a job: golden values for its firmware, and what an emulated one says about it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.board_latency import counted
from edgecompile.cache.fingerprint import of_files
from edgecompile.cache.identity import program as program_identity
from edgecompile.config.profiles import load
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import MissingError, RejectedError, rejected
from edgecompile.core.target import Target
from edgecompile.core.units import group
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Golden
from edgecompile.emit.firmware.project import flags_of, linker_script, map_of, why_no_firmware
from edgecompile.ir.network import Network
from edgecompile.job import Job
from edgecompile.kernels.program import Program
from edgecompile.library_cost import hold_measured
from edgecompile.libs import litert, programs
from edgecompile.libs.affine import Port
from edgecompile.lowering import noise_for
from edgecompile.measure.board import counter, image, laps, library, qemu
from edgecompile.measure.board import figures as counting
from edgecompile.measure.board.stack import Bound
from edgecompile.verify import c_features, c_harness, c_library, verify

Array = np.ndarray[Any, Any]
EMITTER = "firmware"
GOLDEN_SAMPLES = 3
VERIFIED_SAMPLES = 5
_BUILDS = (image.CROSS_COMPILER, "make")


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """The emulated board that stands for a target: itself, or another with the same core."""

    machine: str
    clock_hz: int
    target: Target
    is_itself: bool

    def linker(self, folder: Path) -> Path | None:
        """Another board's linker script, written into ``folder``; None: the project's own."""
        if self.is_itself:
            return None
        path = folder / "emulated.ld"
        path.write_text(linker_script(self.target), encoding="utf-8")
        return path


def emulated(target: Target) -> Emulated | None:
    """What QEMU can run for a target, None where nothing has its core."""
    name = None if "qemu" in target.board else target.board.get("emulated_by")
    found = load(str(name)) if name else target
    if "qemu" not in found.board:
        return None
    clock_hz = int(found.board["clock_hz"])
    return Emulated(machine=str(found.board["qemu"]), clock_hz=clock_hz, target=found, is_itself=name is None)


def golden(job: Job) -> Golden | None:
    """A few samples and what the judge gives for them; None where there is no firmware, or no judge here.

    Says EC660, a note, where a profile asks for firmware and cannot have it.
    """
    if job.program is None or job.network is None or job.content is None or EMITTER not in job.target.emit:
        return None
    if (reason := why_no_firmware(job.target)) is not None:
        job.diagnostics.append(_no_firmware(job.target.id, reason))
        return None
    runtime = litert.choose(litert.MICRO)
    if not runtime.available:
        return None
    raw = c_library.raw_inputs(job.network, _samples(job), GOLDEN_SAMPLES)
    content, name = job.content, f"{job.name}.tflite"
    outputs = job.memo.of(
        "golden",
        (content, raw, runtime),
        (litert.Outputs, Port),
        lambda: litert.invoke(content, raw, runtime=runtime, resolver="reference", name=name),
    )
    kind = "held out" if job.lowered.held_out else "seeded noise"
    return Golden(inputs=tuple(raw), outputs=outputs.arrays, by=outputs.described, of=kind)


def measure(job: Job, folder: Path, required: bool) -> None:
    """Build the firmware, count what it takes, run it on the emulated board and compare every operator's result.

    ``folder`` holds what was emitted; of a core without a board, only the C library is linked and counted. Raises
    RejectedError when it is too large or computes something else, MissingError when it is required and a program is
    missing.
    """
    firmware = folder / EMITTER
    if job.program is None or job.network is None:
        return
    if not firmware.is_dir():
        _count_library(job, folder)
        return
    stands = emulated(job.target)
    unbuilt, unrun = _lacking(_BUILDS), _lacking((qemu.QEMU,) if stands is not None else ())
    if unbuilt or unrun:
        _skip(job, [*unbuilt, *unrun], required)
    if unbuilt:
        return
    with job.stage("Board", job.target.id) as summary, tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        built = (of_files(folder), [program_identity(name) for name in (*_BUILDS, "arm-none-eabi-objdump")])
        summary.append(_count(job, firmware, Path(made) / "own", built))
        if stands is not None and not unrun:
            summary.append(_emulate(job, firmware, Path(made) / "emulated", stands, built))
            summary[-1] += _emulate_features(job, firmware, Path(made) / "emulated", stands, built)


def _lacking(names: Sequence[str]) -> list[str]:
    return [name for name in names if programs.find(name) is None]


def _count(job: Job, firmware: Path, out: Path, built: tuple[object, ...]) -> str:
    """``built``: what the image is built from and with."""
    kinds = (counting.Figures, Bound)
    core = _core(job.target)
    found = job.memo.of("image", (*built, core), kinds, lambda: counting.figures(firmware, out, core=core))
    memory = map_of(job.target)
    if memory is not None and (over := found.over(memory.ram.size_bytes)) is not None:
        help = ("build for a board with more memory (`edgecompile targets list`)",)
        raise rejected("EC662", "the image is larger than the board's RAM", f"{job.name}.tflite", [over], help)
    hold_measured(job, found)
    return found.summary


def _count_library(job: Job, folder: Path) -> None:
    """Link the C library of a core that has no board; what was predicted stays where there is no cross compiler."""
    if programs.find(image.CROSS_COMPILER) is None or job.program is None or not _core(job.target):
        return
    with job.stage("Count", job.target.id) as summary, tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        name, inputs, flags = identifier(job.name), len(job.program.subgraph.inputs), flags_of(job.target)
        names = [file.path for file in job.artifacts if file.kind in ("c_source", "c_header")]
        sources = [(path, (folder / path).read_bytes()) for path in names]
        found = job.memo.of(
            "library",
            (sources, name, flags, program_identity(image.CROSS_COMPILER)),
            (counting.Figures, Bound),
            lambda: library.figures(folder, name, inputs, flags, Path(made), _core(job.target)),
        )
        hold_measured(job, found)
        summary.append(found.summary)


def _core(target: Target) -> str:
    return str(target.board.get("core", ""))


def _emulate(job: Job, firmware: Path, out: Path, stands: Emulated, built: tuple[object, ...]) -> str:
    used = tuple(array[:VERIFIED_SAMPLES] for array in _samples(job))
    tools = (program_identity(qemu.QEMU), [program_identity(name) for name in counter.COMPILERS])
    instructions, method, by_operator, found = job.memo.of(
        "emulated board",
        (built, used, stands.machine, stands.clock_hz, stands.target, tools, litert.choose(litert.MICRO)),
        (c_library.CVerification,),
        lambda: _run_emulated(job, firmware, out, stands, used),
        keep=lambda ran: ran[3].status == verify.VERIFIED,
    )
    counted(job, instructions, f"{method}, one inference", by_operator)
    job.versions["emulated board"] = stands.machine
    job.details["verification on the emulated board"] = found.summary
    if found.status == verify.FAILED:
        raise RejectedError(*found.diagnostics)
    return f"and {group(instructions)} instructions; {found.summary}"


def _run_emulated(
    job: Job, firmware: Path, out: Path, stands: Emulated, used: tuple[Array, ...]
) -> tuple[int, str, dict[int, int], c_library.CVerification]:
    """Instructions of one inference, how they were counted, those of each operator, and all results held against the
    reference."""
    assert job.program is not None and job.network is not None
    out.mkdir()
    linker = stands.linker(out)
    image.build(firmware, ["run", "trace", laps.IMAGE], out, linker)
    raw = c_library.raw_inputs(job.network, used, 1)
    ran = qemu.run(stands.machine, out / "run.elf", raw, stands.clock_hz)
    marked = out / f"{laps.IMAGE}.elf"
    by_operator = laps.by_operator(stands.machine, marked, raw, stands.clock_hz, job.network.main)
    found = c_library.verify_run(
        tracer(stands, out / "trace.elf", job.program),
        job.network,
        job.program,
        used,
        f"{job.name}.tflite",
        VERIFIED_SAMPLES,
        where=f"C on {stands.machine}",
    )
    return ran.laps[0], ran.method, by_operator, found


def _emulate_features(job: Job, firmware: Path, out: Path, stands: Emulated, built: tuple[object, ...]) -> str:
    """The front end for sound on the emulated board, held against its twin; "" for a model that hears nothing."""
    front_end = job.front_end
    if front_end is None or not (firmware.parent / f"{identifier(job.name)}_features.c").is_file():
        return ""

    def work() -> tuple[int, str, c_library.CVerification]:
        out.mkdir(exist_ok=True)
        image.build(firmware, ["features"], out, stands.linker(out))
        laps: list[qemu.Run] = []

        def run(clips: Array) -> Array:
            laps.append(qemu.run(stands.machine, out / "features.elf", [clips], stands.clock_hz))
            return laps[-1].outputs

        found = c_features.verify_run(run, front_end, f"{job.name}.tflite", f"features in C on {stands.machine}")
        # The fourth clip is noise: all its values count.
        return (laps[0].laps[6] if laps else 0), (laps[0].method if laps else ""), found

    sources = (built, front_end, stands.machine, stands.clock_hz, stands.target, program_identity(qemu.QEMU))
    instructions, method, found = job.memo.of(
        "emulated features",
        sources,
        (c_library.CVerification,),
        work,
        keep=lambda ran: ran[2].status == verify.VERIFIED,
    )
    job.details["verification of the features on the emulated board"] = found.summary
    if found.status == verify.FAILED:
        raise RejectedError(*found.diagnostics)
    job.count("features_instructions", instructions, "count", f"{method}, features of one clip")
    return f"; {group(instructions)} instructions for features; {found.summary}"


def tracer(stands: Emulated, trace: Path, program: Program) -> Callable[[Sequence[Array]], dict[int, Array]]:
    """A way to run the C library, for :func:`c_library.verify_run`: every operator's results from an image."""

    def run(raw: Sequence[Array]) -> dict[int, Array]:
        ran = qemu.run(stands.machine, trace, raw, stands.clock_hz, count=False)
        return c_harness.tensors_of(program, ran.outputs, len(raw[0]))

    return run


def _samples(job: Job) -> tuple[Array, ...]:
    network: Network | None = job.network
    assert network is not None
    return tuple(job.lowered.inputs) or tuple(noise_for(network, job.project.seed))


def _no_firmware(target: str, reason: str) -> Diagnostic:
    return Diagnostic(
        code="EC660",
        severity=Severity.NOTE,
        message=f"no firmware project is written for `{target}`",
        notes=(reason,),
        help=("the C library is written all the same; name a board to get a project around it",),
    )


def _skip(job: Job, lacking: Sequence[str], required: bool) -> None:
    words, verb = " and ".join(f"`{name}`" for name in lacking), "is" if len(lacking) == 1 else "are"
    diagnostic = Diagnostic(
        code="EC667",
        severity=Severity.WARNING,
        message=f"the firmware was not built and run on an emulated board: {words} {verb} not installed",
        location=Location(file=f"{identifier(job.name)}.c"),
        notes=("flash, RAM and stack are counted in the image, instructions while an emulated board runs it",),
        help=(
            "install: sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm make",
            "`--require-verified` makes this an error",
        ),
    )
    if required:
        raise MissingError(dataclasses.replace(diagnostic, severity=Severity.ERROR))
    job.diagnostics.append(diagnostic)
    job.details["verification on the emulated board"] = f"skipped: {words} {verb} missing"
