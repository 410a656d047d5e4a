"""Run an image on an emulated board: inputs and outputs as files, instructions counted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, missing, rejected
from edgecompile.libs import programs
from edgecompile.measure.board import counter, elf

Array = np.ndarray[Any, Any]
QEMU = "qemu-system-arm"
# Emulating takes about a second for 50 million instructions.
RUN_S = 600.0
MARK = "ec_mark"


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What a run left: raw bytes of outputs, instructions between marks in order, how these were counted."""

    outputs: Array
    laps: tuple[int, ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """Whether the self-test passed, and what it said."""

    passed: bool
    said: str


def self_test(machine: str, image: Path) -> SelfTest:
    """Run a self-test to its end. Raises EC191 without QEMU, EC663 when it does not end by itself."""
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        done = programs.run(command(machine, image), RUN_S, cwd=Path(made), purpose="to run the emulated board")
    said = next((line for line in _said(done).splitlines() if line.startswith("edgecompile")), "")
    if done.timed_out or not said.startswith("edgecompile self-test: "):
        raise _broke(done, machine, image)
    return SelfTest(passed=done.returncode == 0 and said.endswith("passed"), said=said)


def run(machine: str, image: Path, inputs: Sequence[Array], clock_hz: int, *, count: bool = True) -> Run:
    """Feed raw inputs (samples first) to an image of ``run.c`` and collect what it gives.

    ``clock_hz``: of the emulated board's processor, by which its timer is read where the plugin cannot be had.
    ``count`` False: as fast as it goes, no laps. Raises EC191 without QEMU, EC663 when it does not end by itself.
    """
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        place = Path(made)
        raw = b"".join(array[sample].tobytes() for sample in range(len(inputs[0])) for array in inputs)
        (place / "inputs.bin").write_bytes(raw)
        counting = _counting(image, place) if count else []
        done = programs.run(
            [*command(machine, image), *counting], RUN_S, cwd=place, purpose="to run the emulated board"
        )
        if done.timed_out or done.returncode != 0:
            raise _broke(done, machine, image)
        outputs = np.fromfile(place / "outputs.bin", np.uint8)
        laps, method = _laps(place, clock_hz, counting, machine)
    return Run(outputs=outputs, laps=laps, method=method)


def command(machine: str, image: Path) -> list[str | Path]:
    """QEMU without a window or console of its own; files and exit code through semihosting."""
    quiet = ["-display", "none", "-serial", "none", "-monitor", "none"]
    return [QEMU, "-machine", machine, *quiet, "-semihosting-config", "enable=on,target=native", "-kernel", image]


def _counting(image: Path, place: Path) -> list[str]:
    plugin = counter.plugin()
    if plugin is None:
        return ["-icount", "shift=0"]
    address = elf.read(image).functions[MARK]
    return ["-plugin", f"file={plugin},mark=0x{address:x},out={place / 'laps'}"]


def _laps(place: Path, clock_hz: int, counting: list[str], machine: str) -> tuple[tuple[int, ...], str]:
    """Instructions between marks; by the timer only those of whole runs."""
    version = counter.qemu_version()
    where = f"simulated: QEMU {'.'.join(map(str, version or ()))}, {machine}"
    if (place / "laps").is_file():
        return tuple(map(int, (place / "laps").read_text().split())), f"{where}, executed instructions counted"
    if not counting:
        return (), where
    # One instruction is one nanosecond of the emulated time; the timer runs at the processor's clock.
    each = 10**9 / clock_hz
    ticks = np.fromfile(place / "ticks.bin", np.uint32)
    runs = [round(int(tick) * each) for tick in ticks]
    # As if there were the lap from the end of one run to the beginning of the next, too.
    laps = [lap for run in runs for lap in (run, 0)][:-1]
    return tuple(laps), f"{where}, from its timer in steps of {each:.0f} instructions"


def missing_machine(target: str) -> EdgecompileError:
    """EC664 for a target that no emulated board stands for; to be raised by the caller."""
    return missing(
        "EC664",
        f"there is no emulated board for `{target}`",
        notes=("its profile names no QEMU machine, and none with the same core is known",),
        help=("build for an emulated board: `edgecompile targets list` has them under QEMU",),
    )


def _said(done: programs.Finished) -> str:
    return done.stdout + done.stderr


def _broke(done: programs.Finished, machine: str, image: Path) -> EdgecompileError:
    end = f"not done after {RUN_S:.0f} s" if done.timed_out else f"exit code {done.returncode}"
    return rejected(
        "EC663",
        f"`{image.name}` did not run to its end on the emulated board `{machine}`",
        notes=(end, *_said(done).strip().splitlines()[:3]),
        help=("this is a fault of edgecompile, or of this QEMU: please report it with the model",),
    )
