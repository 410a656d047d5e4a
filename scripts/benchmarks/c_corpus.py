"""Every public model as a C library on this machine, held against TensorFlow Lite Micro in all tensors.

Prints which models the kernels cover, and which operator and element types keep each other one out. ``--keras`` takes
the Keras models too, built as int8 first (minutes).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data_folder, edgecompile, table

from edgecompile.core.errors import EdgecompileError
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.emission import Layout
from edgecompile.emit.emitters.c_library import with_their_own
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.kernels.program import Program, Refusal, compile_network
from edgecompile.libs.affine import dequantize
from edgecompile.memory.program_plan import plan_program
from edgecompile.optimize.apply import apply
from edgecompile.verify.c_library import port_of, verify_c

TARGET = "cortex-m4"
# Noise as data, because kernels have to be exact whatever the scales are.
_INT8 = ("--random-calibration", "--calibration-samples", "16", "--verify-samples", "4")


def main() -> int:
    """Exit 1 where a covered model computes something else than the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="folder of .tflite files  [default: those of the data folder]")
    parser.add_argument("--samples", type=int, default=100, help="random inputs on which every tensor is compared")
    parser.add_argument("--keras", action="store_true", help="the data folder's Keras models, built as int8, instead")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        for name, content in _given(asked, Path(made)):
            rows.append(row_of(name, content, asked.samples) if isinstance(content, bytes) else content)
            if not asked.json:
                print(f"{rows[-1]['state']:<12} {name}", file=sys.stderr)
    print(json.dumps({"schema": 1, "rows": rows}, indent=1) if asked.json else _text(rows))
    return 1 if any(row["state"] == "failed" for row in rows) else 0


def _given(asked: argparse.Namespace, made: Path) -> Iterator[tuple[str, bytes | dict[str, Any]]]:
    """Names and flatbuffers, or the row of a model that could not be built."""
    if asked.keras:
        for path in sorted((data_folder() / "models").glob("*.h5")):
            place = ("--target", TARGET, "--output", made / path.stem)
            code, answer, _ = edgecompile("build", path, *_INT8, *place)
            found = sorted((made / path.stem).rglob("*.tflite"))
            if found:
                yield path.name, found[0].read_bytes()
            else:
                said = (answer.get("diagnostics") or [{}])[0].get("message", f"exit code {code}")
                yield path.name, {"model": path.name, "state": "not built", "why": said, "tensors": 0}
        return
    folders = [asked.models] if asked.models else [data_folder() / name for name in ("tflite", "cortexm")]
    for folder in folders:
        for path in sorted(folder.glob("*.tflite")):
            yield path.name, path.read_bytes()


def row_of(name: str, content: bytes, samples: int) -> dict[str, Any]:
    """``state``: ``exact``, ``failed``, ``not covered`` or ``no model``; ``why`` says what keeps it out."""
    row: dict[str, Any] = {"model": name, "state": "no model", "why": "", "tensors": 0}
    try:
        network = apply(read(content, name)).network
        program = compile_network(network)
    except EdgecompileError as error:
        return {**row, "why": error.diagnostics[0].message}
    if program.refusals:
        return {**row, "state": "not covered", "why": "; ".join(_reasons(network, program))}
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        emit(network, program, Path(made))
        found = verify_c(Path(made), "m", network, program, _noise(network, samples), name, samples)
    if found.status == "verified":
        return {**row, "state": "exact", "tensors": found.tensors}
    told = found.diagnostics[0]
    state = "failed" if told.code in ("EC720", "EC722", "EC723") else "no reference"
    return {**row, "state": state, "why": f"{told.message}: {'; '.join(told.notes[:2])}"}


def _reasons(network: Network, program: Program) -> list[str]:
    return list(dict.fromkeys(_reason(network, refusal) for refusal in program.refusals))


def _reason(network: Network, refusal: Refusal) -> str:
    if refusal.label == "the model":
        return refusal.reason
    operator = network.main.operators[refusal.operator]
    types = dict.fromkeys(tensor.dtype for tensor in network.main.inputs_of(operator) if tensor is not None)
    return f"{refusal.label} of {', '.join(types)}"


def emit(network: Network, program: Program, folder: Path) -> None:
    """The C library of a network, called `m`."""
    plan = plan_program(network, program)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    (folder / "m.h").write_text(header("m", program.subgraph, layout), encoding="ascii")
    (folder / "m.c").write_text(source("m", program, layout), encoding="ascii")
    (folder / "kernels").mkdir()
    for kernel, text in with_their_own(("rounding", *headers_of(program))).items():
        (folder / "kernels" / f"{kernel}.h").write_text(text, encoding="ascii")


def _noise(network: Network, samples: int) -> list[np.ndarray[Any, Any]]:
    """Inputs of every value that the element type has, or normal ones, from one seed."""
    draw, found = np.random.default_rng(0), []
    for index in network.main.inputs:
        tensor = network.main.tensors[index]
        shape = (samples, *tensor.shape)
        if tensor.dtype == "float32":
            found.append(draw.normal(size=shape).astype(np.float32))
            continue
        limits = np.iinfo(tensor.dtype)
        values = draw.integers(limits.min, limits.max + 1, shape, dtype=tensor.dtype)
        port = port_of(tensor)
        found.append(dequantize(values, port) if port.quantized else values)
    return found


def _text(rows: list[dict[str, Any]]) -> str:
    counts = {state: sum(row["state"] == state for row in rows) for state in dict.fromkeys(r["state"] for r in rows)}
    lines = [(row["model"][-60:], row["state"], str(row["tensors"] or ""), row["why"][:150]) for row in rows]
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    return f"{table([('model', 'state', 'tensors', 'why'), *lines])}\n{told} of {len(rows)}"


if __name__ == "__main__":
    sys.exit(main())
