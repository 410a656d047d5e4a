"""A firmware project around the C library: start-up, linker script, Makefile, application, self-test."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit import front_end
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission
from edgecompile.emit.firmware.project import (
    golden_header,
    linker_script,
    makefile,
    model_header,
    why_no_firmware,
)

NAME = "firmware"
# The same for every model and board; the last one only where there is something to test with.
_FIXED = ("startup.c", "memory.c", "main.c", "semihosting.h", "semihosting.c", "hooks.h", "run.c", "self_test.c")


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``firmware/``; nothing where there is no C library, or the profile has no memory map."""
    if emission.program is None or emission.layout is None or why_no_firmware(emission.target) is not None:
        return ()
    (folder / "firmware").mkdir(exist_ok=True)
    written = []
    for name, text in _texts(emission):
        (folder / "firmware" / name).write_text(text, encoding="utf-8")
        written.append(describe(folder, f"firmware/{name}", "firmware"))
    return tuple(written)


def _texts(emission: Emission) -> Iterator[tuple[str, str]]:
    assert emission.program is not None
    name, golden, hears = identifier(emission.name), emission.golden, front_end.has(emission)
    yield "Makefile", makefile(name, emission.target, golden is not None, hears)
    yield "linker.ld", linker_script(emission.target)
    yield "model.h", model_header(name, emission.program.subgraph, hears)
    if golden is not None:
        yield "golden.h", golden_header(golden)
    for fixed in _FIXED if golden is not None else _FIXED[:-1]:
        yield fixed, files("edgecompile.emit.firmware").joinpath(fixed).read_text(encoding="ascii")
