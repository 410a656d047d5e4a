"""Cortex-M on an emulated board: our C beside TensorFlow Lite Micro + CMSIS-NN (--models DIR --board NAME)."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _real import real_inputs
from _shared import data_folder, edgecompile, measures, table

from edgecompile.board import emulated, tracer
from edgecompile.config.profiles import load
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.kernels.program import compile_network
from edgecompile.lowering import noise_for
from edgecompile.measure.board import image
from edgecompile.verify import verify
from edgecompile.verify.c_library import verify_run

# Figures of TensorFlow Lite Micro with their sources; instructions of one inference, image without a test, RAM without
# stack.
BASELINE = Path(__file__).parent / "tflm_baseline.json"
FIGURES = ("instructions", "flash_bytes", "ram_bytes", "stack_bytes")
BOARDS = ("qemu-m4", "qemu-m7", "qemu-m55")


def main() -> int:
    """Print a table, or one JSON object; exit 1 where a model cannot be compiled or computes something else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="folder of .tflite files  [default: cortexm of the data folder]")
    parser.add_argument("--board", choices=BOARDS, default=BOARDS[0])
    parser.add_argument("--samples", type=int, default=100, help="random inputs on which every operator is compared")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    models = sorted((asked.models or data_folder() / "cortexm").glob("*.tflite"))
    if not models:
        sys.exit(f"there are no .tflite files in {asked.models}")
    rows = []
    for model in models:
        if not asked.json:
            print(f"{model.stem} ...", file=sys.stderr)
        rows.append(row_of(model, asked.board, asked.samples))
    print(json.dumps({"schema": 1, "rows": rows}, indent=1) if asked.json else text(rows, asked.board))
    return 0 if all(row["exact"] for row in rows) else 1


def row_of(model: Path, board: str, samples: int) -> dict[str, Any]:
    """Build as it is, and hold the image against the reference; ``error`` says why there is no figure."""
    row: dict[str, Any] = {"model": model.stem, "board": board, **dict.fromkeys(FIGURES), "exact": False}
    row["baseline"] = baseline_of(model.stem, board)
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        _, answer, _ = edgecompile("build", model, "--target", board, "--output", made)
        report = (answer.get("reports") or [answer])[0]
        found = measures(report) if "measures" in report else {}
        if found.get("instructions") is None:
            said = [d["message"] for d in report.get("diagnostics", answer.get("diagnostics", []))]
            return {**row, "error": "; ".join(said) or "no image was built"}
        row |= {name: found[name] for name in FIGURES}
        row["ram_bytes"] -= found["stack_bytes"] or 0  # the baseline's RAM is without its stack
        row["exact"], row["compared"] = exact(Path(made) / board, model.stem, board, samples)
    return row


def exact(folder: Path, stem: str, board: str, samples: int) -> tuple[bool, str]:
    """Whether every operator's result on the board equals TensorFlow Lite Micro's, and on what that was seen."""
    target = load(board)
    stands = emulated(target)
    assert stands is not None
    network = read(next(folder.glob("*.tflite")).read_bytes(), stem)
    program = compile_network(network, kernels=target.kernels)
    with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
        image.build(folder / "firmware", ["trace"], Path(made))
        run = tracer(stands, Path(made) / "trace.elf", program)
        real = real_inputs(network, samples)
        given = [(noise(network, samples), "random"), *([real] if real is not None else [])]
        told = []
        for x, words in given:
            found = verify_run(run, network, program, x, stem, samples, where="C")
            told.append(f"{found.summary} ({words})")
            if found.status != verify.VERIFIED:
                return False, told[-1]
    return True, "; ".join(told)


def noise(network: Network, samples: int) -> list[np.ndarray[Any, Any]]:
    """Seeded inputs over the whole range of each input, as many as asked for."""
    drawn: list[list[np.ndarray[Any, Any]]] = []
    while sum(len(part[0]) for part in drawn) < samples:
        drawn.append(list(noise_for(network, len(drawn))))
    return [np.concatenate(parts)[:samples] for parts in zip(*drawn, strict=True)]


def baseline_of(stem: str, board: str) -> dict[str, Any] | None:
    """The better of the two ways to compile CMSIS-NN, by instructions; None for a model that nobody measured."""
    core = board.removeprefix("qemu-")
    rows = json.loads(BASELINE.read_text(encoding="utf-8"))["rows"]
    own = [row for row in rows if row["model"] == stem and row["core"] == core]
    if not own:
        return None
    best = min(own, key=lambda row: row["instructions_per_inference"])
    return {
        "kernels": best["kernels"],
        "instructions": best["instructions_per_inference"],
        **{name: best[name] for name in FIGURES[1:]},
    }


def text(rows: list[dict[str, Any]], board: str) -> str:
    """Ours, the baseline's and their ratio, model by model."""
    lines: list[tuple[str, ...]] = [("model", "", *FIGURES, "exact")]
    for row in rows:
        base = row["baseline"]
        lines.append((row["model"], "ours", *(_number(row[name]) for name in FIGURES), str(row["exact"]).lower()))
        if base is not None:
            lines.append(("", f"TFLM, {base['kernels']}", *(_number(base[name]) for name in FIGURES), ""))
            lines.append(("", "ratio", *(_ratio(row[name], base[name]) for name in FIGURES), ""))
    notes = [f"{row['model']}: {row.get('error') or row.get('compared')}" for row in rows]
    return "\n".join([f"{board}; TFLM's figures and their sources: {BASELINE.name}", table(lines), *notes])


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _ratio(ours: int | None, theirs: int) -> str:
    return "-" if ours is None else f"{ours / theirs:.3f}"


if __name__ == "__main__":
    sys.exit(main())
