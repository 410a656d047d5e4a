"""Instructions of the C library by operator on emulated boards, and how well a table predicts them (--write keeps it).

Images for cores without an emulated board of their own run on one that has all of their instructions. The error is that
of whole models, each predicted from a table made without it and others of its origin, where other networks have its
kernels.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _retyped import retyped
from _shared import CHECKOUT, data_folder, table
from c_corpus import noise_of
from code_sizes import joined, single_operators
from weight_forms import RESNET, with_weights

from edgecompile.board import emulated
from edgecompile.board_run import profile_of
from edgecompile.config.profiles import load
from edgecompile.core.errors import EdgecompileError
from edgecompile.emit.emission import Emission, Layout
from edgecompile.emit.emitters import c_library, firmware
from edgecompile.ir.costs import totals
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.kernels.program import Program
from edgecompile.libs import programs
from edgecompile.measure.board import instructions as counting
from edgecompile.memory.program_plan import plan_program
from edgecompile.memory.weighed import compile_weighed
from edgecompile.optimize.apply import apply
from edgecompile.verify.c_library import raw_inputs

# The core whose flags an image is made with, and the emulated board that runs it.
CORES = {
    "cortex-m0plus": "qemu-m4",
    "cortex-m3": "qemu-m4",
    "cortex-m4": "qemu-m4",
    "cortex-m55": "qemu-m55",
}
# The same kernels, made of the same instructions.
SAME = {"cortex-m7": "cortex-m4", "cortex-m33": "cortex-m4"}
KEPT = CHECKOUT / "edgecompile" / "measure" / "board" / counting.TABLE
# How much an operator of a model counts beside one of a test, which is small.
_MODEL_WEIGHT = 4.0
# Networks of one operator, from each table of the tests.
_EACH = 5
# Public models that are counted in other numbers, too.
_RETYPED = ("kws_ref_model", "pretrainedResnet_quant", "ad01_int8")
# From so many counts on, a kernel in one form or type has factors of its own; before, those of all forms by one ratio.
_ENOUGH = 10
# Which features explain first, where few rows leave a choice: products, what is picked up, outputs, inputs, a sum.
_ORDER = (1, 2, 4, 3, 0)
_LEAST, _MOST, _MOST_FLOAT = 3, 20_000_000, 3_000_000


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A model with what each of its operators took; what is before a comma in its name is of one origin with others."""

    name: str
    program: Program
    counts: dict[int, int]
    is_model: bool = True

    @property
    def origin(self) -> str:
        """The model that this one was made from."""
        return self.name.split(",")[0]


def main() -> int:
    """Print the table's error for each core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", action="append", choices=tuple(CORES), help="may be given several times")
    parser.add_argument("--write", action="store_true", help=f"keep what was counted in {KEPT.name}")
    parser.add_argument("--seconds", type=float, default=3600, help="count no more networks after so long")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.is_file() else {"cores": {}}
    found = {core: table_of(samples(core, asked.seconds), core) for core in asked.core or CORES}
    kept = {
        "schema": 1,
        "source": "counted: instructions between two operators, executed by an emulated board",
        "command": "scripts/bench instructions --write",
        "cores": {
            **kept["cores"],
            **{core: joined(kept["cores"].get(core), one) for core, (one, _) in found.items()},
            **{core: {"as": other} for core, other in SAME.items()},
        },
    }
    if asked.write:
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    rows = [{"core": core, "model": name, **row} for core, (_, rows) in found.items() for name, row in rows.items()]
    print(json.dumps({"schema": 1, "rows": rows}, indent=1) if asked.json else _text(found))
    return 0


def samples(core: str, seconds: float) -> list[Sample]:
    """Public models of some size, some with weights in shorter forms and in other numbers, and single operators."""
    found, seen = [], set()
    end = time.monotonic() + seconds
    for name, network, is_model in _networks():
        if time.monotonic() > end:
            break
        target = load(core)
        program = compile_weighed(network, forms=target.weight_forms, goal="balanced", kernels=target.kernels)
        key = str([(call.kernel, call.settings) for routine in program.routines for call in routine.calls])
        if program.refusals or key in seen or (is_model and len(program.routines) < _LEAST):
            continue
        seen.add(key)
        with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
            counts = _counts(network, program, core, Path(made))
            found.append(Sample(name=name, program=program, counts=counts, is_model=is_model))
        print(f"{core} {name} {sum(found[-1].counts.values())}", file=sys.stderr)
    return found


def _networks() -> Iterator[tuple[str, Network, bool]]:
    for folder in ("cortexm", "tflite"):
        for path in sorted((data_folder() / folder).glob("*.tflite")):
            try:
                network = apply(read(path.read_bytes(), path.name)).network
            except EdgecompileError:
                continue
            floats = any(network.main.tensors[index].dtype == "float32" for index in network.main.inputs)
            if totals(network).macs <= (_MOST_FLOAT if floats else _MOST):
                yield path.stem, network, True
    resnet = read((data_folder() / RESNET).read_bytes(), "resnet.tflite")
    for form in ("shared4", "block2x2", "block2x2_shared4"):
        yield f"pretrainedResnet_quant, {form}", with_weights(resnet, form, 0.5), True
    for name in _RETYPED:
        network = apply(read((data_folder() / "cortexm" / f"{name}.tflite").read_bytes(), name)).network
        for dtype in ("int16", "float32"):
            yield f"{name}, {dtype}", retyped(network, dtype), True
    for name, network in single_operators(_EACH):
        yield name, network, False


def _counts(network: Network, program: Program, core: str, folder: Path) -> dict[int, int]:
    board = load(CORES[core])
    plan = plan_program(network, program)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    emission = Emission(name="m", network=network, content=b"", target=board, program=program, layout=layout)
    c_library.emit(emission, folder)
    firmware.emit(emission, folder)
    flags = " ".join(load(core).board["compiler_flags"])
    words = ["make", "-s", "-C", folder / "firmware", f"OUT={folder / 'out'}", f"CORE={flags}", "profile"]
    done = programs.run(words, 300.0)
    if done.returncode != 0:
        sys.exit(done.stderr)
    stands = emulated(board)
    assert stands is not None
    raw = raw_inputs(network, noise_of(network, 1), 1)
    costs = profile_of(stands, folder / "out" / "profile.elf", raw, network.main)
    return {cost.operator: cost.instructions for cost in costs}


def fit(given: Sequence[Sample]) -> dict[str, list[float]]:
    """Factors by kernel, form and type, by kernel, and those of all together for one that was not counted."""
    rows: dict[str, list[tuple[Sequence[float], int, float]]] = {counting.ANY: []}
    for sample in given:
        for index, count in sample.counts.items():
            weight = _MODEL_WEIGHT if sample.is_model else 1.0
            found = (counting.features(sample.program, index), count, weight)
            for key in counting.rows_at(sample.program, index):
                rows.setdefault(key, []).append(found)
            if sample.program.routines[index].calls:
                rows[counting.ANY].append(found)
    factors: dict[str, list[float]] = {}
    for key in sorted(rows, key=lambda key: key.count("/")):
        is_own = "/" not in key or len(rows[key]) >= _ENOUGH
        factors[key] = _factors(rows[key]) if is_own else _scaled(factors[key.rsplit("/", 1)[0]], rows[key])
    return factors


def _scaled(factors: Sequence[float], rows: Sequence[tuple[Sequence[float], int, float]]) -> list[float]:
    """The factors of the whole kernel times the geometric mean of what these counts are beside their prediction."""
    found = [(max(count, 1) / max(float(np.dot(factors, row)), 1.0), weight) for row, count, weight in rows]
    ratios, weights = np.asarray(found).T
    ratio = float(np.exp(np.average(np.log(ratios), weights=weights)))
    return [round(factor * ratio, 4) for factor in factors]


def _factors(rows: Sequence[tuple[Sequence[float], int, float]]) -> list[float]:
    """The factors, none below 0, with the least sum of squared relative errors; few rows bear few factors."""
    features = np.asarray([row for row, _, _ in rows], float)
    counts = np.asarray([max(count, 1) for _, count, _ in rows], float)
    weights = np.asarray([weight for _, _, weight in rows], float)
    scaled = features / counts[:, None] * weights[:, None]
    best, least = np.zeros(features.shape[1]), np.inf
    for size in range(1, min(len(rows), features.shape[1]) + 1):
        for chosen in itertools.combinations(_ORDER, size):
            factors = np.linalg.lstsq(scaled[:, chosen], weights, rcond=None)[0]
            error = float(((scaled[:, chosen] @ factors - weights) ** 2).sum()) * (1 + 0.05 * size)
            if (factors >= 0).all() and error < least - 1e-12:
                best, least = np.zeros(features.shape[1]), error
                best[list(chosen)] = factors
    return [round(float(factor), 4) for factor in best]


def table_of(given: Sequence[Sample], core: str) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The table with its error, and each model as it is and as it is predicted without itself."""
    rows = {}
    for left_out in (sample for sample in given if sample.is_model):
        others = {"kernels": fit([sample for sample in given if sample.origin != left_out.origin])}
        by_operator, unknown = counting.estimate(others, left_out.program)
        if unknown:
            continue
        predicted = sum(by_operator.values())
        rows[left_out.name] = {"instructions": sum(left_out.counts.values()), "predicted": round(predicted)}
    errors = [abs(row["predicted"] / row["instructions"] - 1) for row in rows.values()]
    one = {
        "kernels": fit(given),
        "models": len(rows),
        "error": round(float(np.mean(errors)), 3),
        "median": round(float(np.median(errors)), 3),
        "counted_on": CORES[core],
    }
    return one, rows


def _text(found: dict[str, Any]) -> str:
    blocks = []
    for core, (one, rows) in found.items():
        lines = [_line(name, row["instructions"], row["predicted"]) for name, row in rows.items()]
        told = f"leave-one-out error {100 * one['error']:.1f} %, median {100 * one['median']:.1f} %"
        head = f"{core}: {told}, {one['models']} models"
        blocks.append(f"{head}\n{table([('model', 'instructions', 'predicted', ''), *lines])}")
    return "\n\n".join(blocks)


def _line(name: str, counted: float, predicted: float) -> tuple[str, ...]:
    return name[-60:], f"{counted:,}", f"{predicted:,}", f"{100 * (predicted / counted - 1):+.1f} %"


if __name__ == "__main__":
    sys.exit(main())
