"""Every public model as a C library, here or on an emulated board, held against TensorFlow Lite Micro in all tensors.

Prints which models the kernels cover, and which operator and element types keep each other one out. Inputs are random,
and as many real ones where a data set has the model's shape. ``--keras`` takes the Keras models, built as int8 first
(minutes). ``--board`` runs the libraries on emulated boards instead of this machine; the reference is computed once for
all of them. A run of some hours can be had in pieces: ``--state`` and ``--seconds``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from _real import real_inputs
from _shared import data_folder, edgecompile, table

from edgecompile.board import emulated, tracer
from edgecompile.config.profiles import load
from edgecompile.core.errors import EdgecompileError
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.emission import Emission, Layout
from edgecompile.emit.emitters import c_library, firmware
from edgecompile.emit.emitters.c_library import with_their_own
from edgecompile.ir.costs import totals
from edgecompile.ir.network import Network
from edgecompile.ir.ports import port_of
from edgecompile.ir.reader import read
from edgecompile.kernels.program import Program, Refusal, compile_network
from edgecompile.libs import litert
from edgecompile.libs.affine import dequantize
from edgecompile.measure.board import image
from edgecompile.memory.program_plan import plan_program
from edgecompile.optimize.apply import apply
from edgecompile.verify import c_harness
from edgecompile.verify.c_library import CVerification, Reference, reference_of, verify_run

TARGET = "cortex-m4"
HERE = "host"
BOARDS = ("qemu-m4", "qemu-m7", "qemu-m55")
# Of the largest models, too.
_FEWEST = 5
# Noise as data, because kernels have to be exact whatever the scales are.
_INT8 = ("--random-calibration", "--calibration-samples", "16", "--verify-samples", "4")


def main() -> int:
    """Exit 1 where a covered model computes something else than the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="folder of .tflite files  [default: those of the data folder]")
    parser.add_argument("--samples", type=int, default=100, help="random inputs on which every tensor is compared")
    parser.add_argument(
        "--board", action="append", choices=BOARDS, help="an emulated board; may be given several times"
    )
    parser.add_argument(
        "--products",
        type=float,
        default=1e12,
        help="multiply-accumulates of all samples of a model at most: large models get fewer samples, but 5",
    )
    parser.add_argument("--keras", action="store_true", help="the data folder's Keras models, built as int8, instead")
    parser.add_argument("--state", type=Path, metavar="FILE", help="go on from the rows in FILE, and add to them")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no more models after so long")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows, begun = _kept(asked.state), time.monotonic()
    done = {(row["model"], row["where"]) for row in rows}
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        for name, content in _given(asked, Path(made), {model for model, _ in done}):
            reference = _Memory()
            for where in asked.board or [HERE]:
                if (name, where) in done or time.monotonic() - begun > asked.seconds:
                    continue
                row = row_of(name, content, asked, where, reference) if isinstance(content, bytes) else content
                rows.append({**row, "where": where})
                _keep(asked.state, rows)
                print(f"{row['state']:<12} {where:<9} {name}", file=sys.stderr)
    print(json.dumps({"schema": 2, "rows": rows}, indent=1) if asked.json else _text(rows))
    return 1 if any(row["state"] == "failed" for row in rows) else 0


class _Memory:
    """The reference's tensors of the model at hand: the same for every board."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], litert.Outputs] = {}

    def __call__(
        self, network: Network, tensors: list[int], raw: Sequence[np.ndarray[Any, Any]], name: str
    ) -> litert.Outputs:
        key = (tuple(tensors), *(sha256(array.tobytes()).digest() for array in raw))
        if key not in self.known:
            self.known[key] = reference_of(network, tensors, raw, name)
        return self.known[key]


def _kept(state: Path | None) -> list[dict[str, Any]]:
    if state is None or not state.is_file():
        return []
    return list(json.loads(state.read_text(encoding="utf-8"))["rows"])


def _keep(state: Path | None, rows: list[dict[str, Any]]) -> None:
    if state is not None:
        state.write_text(json.dumps({"schema": 2, "rows": rows}, indent=1), encoding="utf-8")


def _given(asked: argparse.Namespace, made: Path, done: set[str]) -> Iterator[tuple[str, bytes | dict[str, Any]]]:
    """Names and flatbuffers, each content once, or the row of a model that could not be built."""
    if asked.keras:
        for path in _keras_models():
            if path.name in done:
                continue
            place = ("--target", TARGET, "--output", made / path.stem)
            code, answer, _ = edgecompile("build", path, *_INT8, *place)
            found = sorted((made / path.stem).rglob("*.tflite"))
            if found:
                yield path.name, found[0].read_bytes()
            else:
                said = (answer.get("diagnostics") or [{}])[0].get("message", f"exit code {code}")
                yield path.name, {"model": path.name, "state": "not built", "why": said, "tensors": 0}
        return
    folders = [asked.models] if asked.models else [data_folder() / name for name in ("cortexm", "tflite")]
    seen: set[bytes] = set()
    for path in (path for folder in folders for path in sorted(folder.glob("*.tflite"))):
        content = path.read_bytes()
        if content not in seen:
            yield path.name, content
        seen.add(content)


def _keras_models() -> list[Path]:
    """Files with a network in them, and SavedModels."""
    models = data_folder() / "models"
    saved = [path.parent for path in models.glob("*/saved_model.pb")]
    return sorted([*(path for path in models.glob("*.h5") if path.stem != "weights_only"), *saved])


def row_of(name: str, content: bytes, asked: argparse.Namespace, where: str, reference: Reference) -> dict[str, Any]:
    """``state``: ``exact``, ``failed``, ``not covered`` or ``no model``; ``why`` says what keeps it out or ran."""
    row: dict[str, Any] = {"model": name, "state": "no model", "why": "", "tensors": 0, "samples": 0}
    board = None if where == HERE else where
    try:
        network = apply(read(content, name)).network
        program = compile_network(network, kernels=load(board or TARGET).kernels)
    except EdgecompileError as error:
        return {**row, "why": error.diagnostics[0].message}
    if program.refusals:
        return {**row, "state": "not covered", "why": "; ".join(_reasons(network, program))}
    samples = min(asked.samples, max(_FEWEST, round(asked.products / max(1, totals(network).macs))))
    given = [(noise_of(network, samples), "random")]
    real = real_inputs(network, samples)
    given += [real] if real is not None else []
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        hold = _holder(network, program, name, board, Path(made), reference)
        for x, words in given:
            found = hold(x)
            if found.status != "verified":
                return {**row, **_failed(found, words)}
            row["samples"] += found.samples
    what = ", ".join(f"{len(x[0])} {words}" if words == "random" else words for x, words in given)
    return {**row, "state": "exact", "tensors": found.tensors, "why": what}


def _failed(found: CVerification, words: str) -> dict[str, Any]:
    told = found.diagnostics[0]
    state = "failed" if told.code in ("EC720", "EC722", "EC723") else "no reference"
    return {"state": state, "why": f"{words}: {told.message}: {'; '.join(told.notes[:2])}"}


def _holder(
    network: Network, program: Program, name: str, board: str | None, folder: Path, reference: Reference
) -> Callable[[list[np.ndarray[Any, Any]]], CVerification]:
    """How inputs are run and held against the reference."""
    if board is None:
        emit(network, program, folder)
        cc = c_harness.compiler() or "gcc"
        host = partial(c_harness.run, folder, "m", program, cc=cc, model_name=name)
        return lambda x: verify_run(host, network, program, x, name, len(x[0]), reference=reference)
    target = load(board)
    stands = emulated(target)
    assert stands is not None
    plan = plan_program(network, program)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    emission = Emission(name="m", network=network, content=b"", target=target, program=program, layout=layout)
    c_library.emit(emission, folder)
    firmware.emit(emission, folder)
    image.build(folder / "firmware", ["trace"], folder / "out")
    run = tracer(stands, folder / "out" / "trace.elf", program)
    return lambda x: verify_run(run, network, program, x, name, len(x[0]), where=f"C on {board}", reference=reference)


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


def noise_of(network: Network, samples: int) -> list[np.ndarray[Any, Any]]:
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
    heading = ("model", "where", "state", "tensors", "samples", "why")
    lines = [
        (
            row["model"][-60:],
            row["where"],
            row["state"],
            str(row["tensors"] or ""),
            str(row["samples"] or ""),
            row["why"][:150],
        )
        for row in rows
    ]
    told = [f"{where}: {_counted([row for row in rows if row['where'] == where])}" for where in _places(rows)]
    return "\n".join([table([heading, *lines]), *told])


def _places(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["where"] for row in rows))


def _counted(rows: list[dict[str, Any]]) -> str:
    counts = {state: sum(row["state"] == state for row in rows) for state in dict.fromkeys(r["state"] for r in rows)}
    return f"{', '.join(f'{count} {state}' for state, count in counts.items())} of {len(rows)}"


if __name__ == "__main__":
    sys.exit(main())
