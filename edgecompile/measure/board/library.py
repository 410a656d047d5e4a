"""What a C library alone takes of a core without a board: linked with a program that does nothing but call it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgecompile.core.errors import rejected
from edgecompile.libs import programs
from edgecompile.measure.board import elf, image, stack
from edgecompile.measure.board.figures import Figures

_COMPILE_S = 300.0
# As the firmware's Makefile compiles; unused functions and constants are left out by the linker.
_COMPILE = ("-std=c99", "-O2", "-ffunction-sections", "-fdata-sections", "-fstack-usage")
_LINK = ("-nostartfiles", "--specs=nano.specs", "--specs=nosys.specs", "-Wl,--gc-sections", "-Wl,-e,main")
PROBE = """\
#include "{name}.h"

static union {{ uint64_t alignment; uint8_t bytes[{upper}_ARENA_BYTES]; }} arena;

int main(void)
{{
    {name}_init(arena.bytes);
    for (int i = 0; i < {inputs}; ++i) *(volatile uint8_t *){name}_input(arena.bytes, i) = 1;
    {name}_invoke(arena.bytes);
    return *(const volatile uint8_t *){name}_output(arena.bytes, 0);
}}
"""


def figures(folder: Path, name: str, inputs: int, flags: Sequence[str], out: Path, core: str = "") -> Figures:
    """Link ``folder/NAME.c`` for a core, told by the compiler's ``flags``, and count; ``out`` is made.

    Start-up code and vectors are a board's and not counted. Raises EC191 without the cross compiler, RejectedError
    EC661 when it does not compile.
    """
    made = link(folder, name, inputs, flags, out)
    found = elf.read(made)
    return Figures(
        flash_bytes=found.flash_bytes,
        ram_bytes=found.ram_bytes,
        stack=stack.bound(made, out, "main"),
        compiler=image.compiler_version(),
        image="the C library and a `main`, linked without start-up code",
        core=core,
    )


def link(folder: Path, name: str, inputs: int, flags: Sequence[str], out: Path) -> Path:
    """The linked program. Raises as :func:`figures`."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "ec_probe.c").write_text(PROBE.format(name=name, upper=name.upper(), inputs=inputs), encoding="ascii")
    for source in (folder / f"{name}.c", out / "ec_probe.c"):
        _run([*flags, *_COMPILE, "-I", str(folder), "-c", str(source), "-o", str(out / f"{source.stem}.o")], folder)
    made = out / "ec_probe.elf"
    _run([*flags, *_LINK, str(out / f"{name}.o"), str(out / "ec_probe.o"), "-lm", "-o", str(made)], folder)
    return made


def _run(words: Sequence[str], folder: Path) -> None:
    command = [image.CROSS_COMPILER, *words]
    done = programs.run(command, _COMPILE_S, purpose="to count what the C library takes")
    if done.returncode == 0 and not done.timed_out:
        return
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    raise rejected(
        "EC661",
        "the C library does not compile for the core",
        str(folder),
        notes=lines[:4] or [f"{image.CROSS_COMPILER} ended with {done.returncode}"],
        help=("this is a fault of edgecompile: please report it with the model",),
    )
