"""QEMU: no board at all; the self-test runs on the emulated one that the profile names."""

from __future__ import annotations

from edgecompile.flash.task import Commands, Task
from edgecompile.measure.board import qemu

NAME, PROGRAM, NEEDS = "qemu", qemu.QEMU, "qemu"
READS_RESULT, VERIFIES = True, False
LIST: tuple[str, ...] = ()
NO_PROBE = WRONG_CHIP = DIFFERS = r"(?!)"


def commands(task: Task) -> Commands:
    """One run of the emulator."""
    return (tuple(map(str, qemu.command(str(task.board["qemu"]), task.image.with_suffix(".elf")))),)


def probes(text: str) -> tuple[str, ...]:
    """It needs none."""
    return ()
