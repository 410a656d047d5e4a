"""The model as a C library: no interpreter, no heap, no library beyond the C standard headers."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit import front_end
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission

NAME = "c_library"
_INCLUDE = re.compile(r'^#include "([a-z0-9_]+)\.h"', re.MULTILINE)


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``MODEL.h``, ``MODEL.c``, ``kernels/*.h``, a front end; nothing where an operator has no kernel."""
    program, layout = emission.program, emission.layout
    if program is None or layout is None:
        return ()
    name = identifier(emission.name)
    (folder / f"{name}.h").write_text(header(name, program.subgraph, layout), encoding="ascii")
    (folder / f"{name}.c").write_text(source(name, program, layout), encoding="ascii")
    (folder / "kernels").mkdir(exist_ok=True)
    texts = with_their_own(("rounding", *headers_of(program)))
    for kernel, text in texts.items():
        (folder / "kernels" / f"{kernel}.h").write_text(text, encoding="ascii")
    headers = (describe(folder, f"kernels/{kernel}.h", "c_header") for kernel in sorted(texts))
    model = describe(folder, f"{name}.h", "c_header"), describe(folder, f"{name}.c", "c_source")
    return (*model, *headers, *front_end.emit(emission, folder))


def with_their_own(kernels: tuple[str, ...]) -> dict[str, str]:
    """Headers and those that they include, each once."""
    found: dict[str, str] = {}
    waiting = list(kernels)
    while waiting:
        kernel = waiting.pop()
        if kernel not in found:
            found[kernel] = files("edgecompile.kernels").joinpath(f"{kernel}.h").read_text(encoding="ascii")
            waiting += _INCLUDE.findall(found[kernel])
    return found
