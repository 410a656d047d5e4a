"""Compile a C library with the host's compiler and run it, every operator's results written down."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import rejected
from edgecompile.kernels.program import Program
from edgecompile.libs import programs

Array = np.ndarray[Any, Any]
COMPILERS = ("gcc", "cc", "clang")
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
_COMPILE_S, _RUN_S = 300.0, 300.0

_TRACE = """\
#include <stddef.h>
void trace(const void *place, size_t bytes);
#define EDGECOMPILE_AFTER_OPERATOR(operator_index, tensor, place, bytes) trace(place, bytes)
"""
_MAIN = """\
#include <stdio.h>
#include "{name}.h"
static union {{ double alignment; unsigned char bytes[{upper}_ARENA_BYTES]; }} arena;
static FILE *to;
void trace(const void *place, size_t bytes) {{ fwrite(place, 1, bytes, to); }}
int main(int argc, char **argv)
{{
    static const size_t sizes[] = {{{sizes}}};
    FILE *from = argc > 2 ? fopen(argv[1], "rb") : NULL;
    int i, count = (int)(sizeof sizes / sizeof *sizes);
    to = argc > 2 ? fopen(argv[2], "wb") : NULL;
    if (from == NULL || to == NULL) return 2;
    for (;;) {{
        {name}_init(arena.bytes);
        for (i = 0; i < count; ++i) {{
            if (fread({name}_input(arena.bytes, i), 1, sizes[i], from) != sizes[i]) return fclose(to) == 0 ? 0 : 3;
        }}
        {name}_invoke(arena.bytes);
    }}
}}
"""


def compiler() -> str | None:
    """The host's C compiler, None where there is none."""
    return next((name for name in COMPILERS if programs.find(name) is not None), None)


def run(
    folder: Path, name: str, program: Program, inputs: Sequence[Array], cc: str, model_name: str
) -> dict[int, Array]:
    """Outputs of every operator by tensor index, ``[samples, *shape]``, for raw inputs ``[samples, *shape]``.

    ``folder`` holds the emitted ``NAME.h``, ``NAME.c`` and ``kernels``. Raises RejectedError EC722 when the compiler
    refuses it, EC723 when it crashes or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        place = Path(made)
        _build(folder, name, program, cc, place, model_name)
        count = len(inputs[0])
        raw = b"".join(array[sample].tobytes() for sample in range(count) for array in inputs)
        (place / "inputs").write_bytes(raw)
        done = programs.run([place / "main", place / "inputs", place / "outputs"], _RUN_S)
        if done.returncode != 0 or done.timed_out:
            raise _crashed(done, model_name)
        return tensors_of(program, np.fromfile(place / "outputs", np.uint8), count)


def traced(program: Program) -> list[int]:
    """Tensors in the order in which they are written down."""
    tensors = program.subgraph.tensors
    made = (index for operator in program.subgraph.operators for index in operator.outputs)
    return [index for index in made if tensors[index].size_bytes and index not in program.unstored]


def _build(folder: Path, name: str, program: Program, cc: str, place: Path, model_name: str) -> None:
    graph = program.subgraph
    sizes = ", ".join(str(graph.tensors[index].size_bytes) for index in graph.inputs)
    (place / "trace.h").write_text(_TRACE, encoding="ascii")
    (place / "main.c").write_text(_MAIN.format(name=name, upper=name.upper(), sizes=sizes), encoding="ascii")
    argv: list[str | Path] = [
        cc,
        *FLAGS,
        f"-I{folder}",
        "-include",
        place / "trace.h",
        place / "main.c",
        folder / f"{name}.c",
    ]
    done = programs.run([*argv, "-o", place / "main", "-lm"], _COMPILE_S, purpose="to verify the C library")
    if done.returncode != 0 or done.timed_out:
        raise rejected(
            "EC722",
            f"{cc} does not compile the C library",
            model_name,
            notes=[line for line in done.stderr.splitlines() if "error" in line][:4]
            or [f"it ended with {done.returncode}"],
            help=("this is a fault of edgecompile: please report it with the model",),
        )


def _crashed(done: programs.Finished, model_name: str) -> Exception:
    end = f"not done after {_RUN_S:.0f} s" if done.timed_out else f"exit code {done.returncode}"
    return rejected(
        "EC723",
        "the C library did not run to its end on this machine",
        model_name,
        notes=(end, *done.stderr.strip().splitlines()[:2]),
        help=("this is a fault of edgecompile: please report it with the model",),
    )


def tensors_of(program: Program, raw: Array, count: int) -> dict[int, Array]:
    """Bytes that were written down for ``count`` samples, by tensor index, ``[samples, *shape]``."""
    found: dict[int, Array] = {}
    rows, start = raw.reshape(count, -1), 0
    for index in traced(program):
        tensor = program.subgraph.tensors[index]
        part = np.ascontiguousarray(rows[:, start : start + tensor.size_bytes])
        found[index] = part.view(_dtypes()[tensor.dtype]).reshape(count, *tensor.shape)
        start += tensor.size_bytes
    return found


def _dtypes() -> Mapping[str, Any]:
    names = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32")
    return {**{name: np.dtype(name) for name in names}, "bool": np.dtype(np.uint8)}
