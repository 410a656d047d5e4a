"""Build images of a firmware project with its own Makefile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, bad_input, rejected
from edgecompile.core.units import counted
from edgecompile.libs import programs

CROSS_COMPILER = "arm-none-eabi-gcc"
_BUILD_S = 600.0
_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")
_MEMORY = {"FLASH": "flash", "RAM": "RAM"}


def build(firmware: Path, images: Sequence[str], out: Path, linker: Path | None = None) -> None:
    """``make IMAGE...`` into ``out``; ``linker``: another board's linker script.

    Raises EC665 where there is no firmware project, EC191 without make or the cross compiler, RejectedError EC662 when
    an image is larger than the board's memory, EC661 when it does not compile.
    """
    if not (firmware / "Makefile").is_file():
        raise bad_input(
            "EC665",
            f"`{firmware}` holds no firmware project",
            str(firmware),
            help=(
                "build for a board: a core alone has no memory map to link for",
                "where the build said EC640, an operator has no C kernel, and nothing but the other outputs is there",
            ),
        )
    if programs.find(CROSS_COMPILER) is None:
        raise programs.missing_program(CROSS_COMPILER, "to build the firmware")
    words = [f"OUT={out}", *([f"LINKER={linker}"] if linker else []), *images]
    done = programs.run(["make", "-s", "-C", firmware, *words], _BUILD_S, purpose="to build the firmware")
    if done.returncode != 0 or done.timed_out:
        raise _failed(done, firmware)


def compiler_version() -> str:
    """``arm-none-eabi-gcc 12.2.1``. Raises EC191."""
    done = programs.run([CROSS_COMPILER, "-dumpfullversion"], 30.0, purpose="to build the firmware")
    return f"{CROSS_COMPILER} {done.stdout.strip()}"


def _failed(done: programs.Finished, firmware: Path) -> EdgecompileError:
    over = {region: int(count) for region, count in _OVERFLOW.findall(done.stderr)}
    if over:
        return rejected(
            "EC662",
            f"the image is larger than the board's {' and '.join(_MEMORY.get(name, name) for name in over)}",
            str(firmware / "linker.ld"),
            notes=[f"{_MEMORY.get(name, name)}: {counted(count, 'byte')} too many" for name, count in over.items()],
            help=(
                "build for a board with more memory (`edgecompile targets list`)",
                "make the model smaller: fewer channels, a smaller input, a recipe that compresses",
            ),
        )
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return rejected(
        "EC661",
        "the firmware does not compile",
        str(firmware),
        notes=lines[:4] or [f"make ended with {done.returncode}"],
        help=("this is a fault of edgecompile unless the files were changed: please report it with the model",),
    )
