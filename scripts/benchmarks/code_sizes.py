"""What the code of the C library's kernels takes, by core, and how well that predicts whole models (--write keeps it).

Every network is linked for every core with a program that only calls it. The table has, for each kernel, what a call
takes (a least-squares fit over all operators) and which functions it shares with others. The error is that of whole
models, each predicted from a table made without it and others of its origin.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _retyped import retyped
from _shared import CHECKOUT, data_folder, table
from c_corpus import emit
from weight_forms import with_weights

from edgecompile.config.profiles import load
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.kernels.alike import kind_of, kinds_of
from edgecompile.kernels.constants import constant_bytes
from edgecompile.kernels.program import Program, compile_network
from edgecompile.kernels.weight_forms import FORMS
from edgecompile.measure.board import code_size, elf, image, library, stack
from edgecompile.measure.board.rows import rows_of
from edgecompile.memory.program_plan import plan_program
from edgecompile.optimize.apply import apply

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
KEPT = CHECKOUT / "edgecompile" / "measure" / "board" / code_size.TABLE
# Networks of one operator, of which so many are taken for each table of the tests.
_CASES = ("states", "sums", "forms", "elements", "binary", "wide", "picks", "moves", "convert")
_EACH = 24
# How much an operator of a model counts beside one of a test, whose settings are those that nobody would choose.
_MODEL_WEIGHT = 4.0
# Of fewer operators than that is no model, but a test of one operator.
_MODEL_OPERATORS = 3
_OPERATOR = re.compile(r"m_(?:operator|layer)_(\d+)")
# The instance of a kernel that several operators call.
_INSTANCE = re.compile(r"m_[a-z]\w*?_(\d+)$")
_OWN = re.compile(r"m_(?:init|input|output|invoke)$|main$")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A linked library: bytes of its code, of each operator, of functions shared; which operator calls which.

    ``instances``: row of the table and bytes of each that several operators call.
    """

    name: str
    program: Program
    is_model: bool
    code_bytes: int
    operators: dict[int, int]
    functions: dict[str, int]
    instances: list[tuple[str, int]]
    reached: dict[int, set[str]]
    stacks: dict[int, int] = field(default_factory=dict)
    stack_bytes: int = 0
    data_bytes: int = 0

    @property
    def origin(self) -> str:
        """The model that this one was made from: what is before a comma in its name."""
        return self.name.split(",")[0] if self.is_model else self.name


def main() -> int:
    """Print the table's error for each core; exit 1 where a network does not link."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", action="append", choices=CORES, help="may be given several times  [default: all]")
    parser.add_argument("--write", action="store_true", help=f"keep what was measured in {KEPT.name}")
    parser.add_argument("--seconds", type=float, default=3600, help="link no more networks after so long")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.is_file() else {"cores": {}}
    found = {core: table_of(samples(core, asked.seconds)) for core in asked.core or CORES}
    kept = {
        "schema": 1,
        "source": "measured: linked for each core, -O2, unused functions and constants left out",
        "command": "scripts/bench code_sizes --write",
        "compiler": image.compiler_version(),
        "cores": {**kept["cores"], **{core: joined(kept["cores"].get(core), one) for core, (one, _) in found.items()}},
    }
    if asked.write:
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    rows = [{"core": core, "model": name, **row} for core, (_, rows) in found.items() for name, row in rows.items()]
    print(json.dumps({"schema": 1, "rows": rows}, indent=1) if asked.json else _text(found))
    return 0


def joined(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """The new table; kernels and functions that no network had this time keep what was measured before."""
    if old is None:
        return new
    return {key: {**old.get(key, {}), **value} if isinstance(value, dict) else value for key, value in new.items()}


def samples(core: str, seconds: float) -> list[Sample]:
    """Every public model and networks of one operator, linked for a core."""
    target = load(core)
    flags = tuple(target.board["compiler_flags"])
    found, seen = [], set()
    end = time.monotonic() + seconds
    for name, content, is_model in _networks():
        if time.monotonic() > end:
            break
        network = apply(read(content, name)).network if isinstance(content, bytes) else content
        program = compile_network(network, forms=target.weight_forms, kernels=target.kernels)
        # The operators alone of a second model of the same kind would say nothing new.
        key = (program.refusals, tuple((c.kernel, str(c.settings)) for r in program.routines for c in r.calls))
        if program.refusals or str(key) in seen:
            continue
        seen.add(str(key))
        with tempfile.TemporaryDirectory(prefix="edgecompile-") as made:
            emit(network, program, Path(made))
            whole = is_model and len(program.routines) >= _MODEL_OPERATORS
            found.append(_sample(name, network, program, whole, Path(made), flags))
        print(f"{core} {name} {found[-1].code_bytes}", file=sys.stderr)
    return found


def _networks() -> Iterator[tuple[str, Any, bool]]:
    """Public models, those for microcontrollers also with other weights and numbers; single operators."""
    for folder in ("cortexm", "tflite"):
        for path in sorted((data_folder() / folder).glob("*.tflite")):
            try:
                content = path.read_bytes()
                read(content, path.name)
            except EdgecompileError:
                continue
            yield path.stem, content, True
            if folder == "cortexm":
                yield from _made_of(path.stem, apply(read(content, path.name)).network)
    for name, network in single_operators(_EACH):
        yield name, network, False


def _made_of(name: str, network: Network) -> Iterator[tuple[str, Network, bool]]:
    for form in FORMS[1:]:
        yield f"{name}, {form}", with_weights(network, form, 0.5), True
    for dtype in ("int16", "float32"):
        yield f"{name}, {dtype}", retyped(network, dtype), True


def single_operators(each: int) -> Iterator[tuple[str, Network]]:
    """About so many networks of one operator from each table of the kernels' tests."""
    sys.path.insert(0, str(CHECKOUT / "tests" / "kernels"))
    for module in _CASES:
        cases = getattr(importlib.import_module(f"test_kernel_{module}"), "CASES", {})
        for name in list(cases)[:: max(len(cases) // each, 1)]:
            yield f"{module}: {name}", cases[name]()


def _sample(
    name: str, network: Network, program: Program, is_model: bool, folder: Path, flags: Sequence[str]
) -> Sample:
    out = folder / "out"
    made = library.link(folder, "m", len(program.subgraph.inputs), flags, out)
    read_back = elf.read(made)
    roots = [f"m_operator_{i}" for i, r in enumerate(program.routines) if r.calls]
    bounds, calls = stack.bounds(made, out, ("main", *roots))
    operators: dict[int, int] = {}
    for symbol, size in read_back.sizes.items():
        if own := _OPERATOR.match(symbol):
            operators[int(own[1])] = operators.get(int(own[1]), 0) + size
    others = [symbol for symbol in read_back.functions if not _OPERATOR.match(symbol) and not _OWN.match(symbol)]
    rows = _instances(program)
    instances = [(rows[int(m[1])], symbol) for symbol in others if (m := _INSTANCE.match(_plain(symbol)))]
    shared = set(others) - {symbol for _, symbol in instances}
    return Sample(
        name=name,
        program=program,
        is_model=is_model,
        code_bytes=read_back.flash_bytes - constant_bytes(program),
        operators=operators,
        functions={_plain(symbol): read_back.sizes.get(symbol, 0) for symbol in sorted(shared)},
        instances=[(row, read_back.sizes.get(symbol, 0)) for row, symbol in instances],
        reached={index: _reached(f"m_operator_{index}", calls) for index in operators},
        stacks={int(root.rsplit("_", 1)[1]): bounds[root].size_bytes or 0 for root in roots},
        stack_bytes=bounds["main"].size_bytes or 0,
        data_bytes=max(read_back.ram_bytes - max(plan_program(network, program).plan.arena_bytes, 1), 0) & ~7,
    )


def _instances(program: Program) -> list[str]:
    """The exact row of each instance that several calls share, as the library numbers them."""
    graph, alike = program.subgraph, kinds_of(program)
    calls = [call for routine in program.routines for call in routine.calls if alike[kind_of(graph, call)] > 1]
    return list({kind_of(graph, call): rows_of(graph, call)[0] for call in calls}.values())


def _plain(symbol: str) -> str:
    """A function's name without what the compiler appends to variants of it."""
    return symbol.split(".")[0]


def _reached(root: str, calls: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [root]
    while waiting:
        for callee in calls.get(waiting.pop(), ()):
            if callee not in found:
                found.add(callee)
                waiting.append(callee)
    plain = (_plain(name) for name in found if not _OPERATOR.match(name))
    return {name for name in plain if not _INSTANCE.match(name)}


def fit(given: Sequence[Sample]) -> dict[str, Any]:
    """The table from samples: kernels, functions, what every image has, stack."""
    names = sorted({rows_of(s.program.subgraph, c)[0] for s in given for r in s.program.routines for c in r.calls})
    rows: list[list[float]] = []
    sizes: list[float] = []
    met = dict.fromkeys(names, 0.0)
    reached: dict[str, dict[str, float]] = {name: {} for name in names}
    for sample in given:
        weight = _MODEL_WEIGHT if sample.is_model else 1.0
        alike, graph = kinds_of(sample.program), sample.program.subgraph
        for row, size in sample.instances:
            rows.append([*(weight * (row == name) for name in names), 0.0])
            sizes.append(weight * size)
        for index, size in sample.operators.items():
            calls = [(rows_of(graph, call)[0], call) for call in sample.program.routines[index].calls]
            own = [row for row, call in calls if alike[kind_of(graph, call)] == 1]
            rows.append([*(weight * own.count(name) for name in names), weight * (len(calls) - len(own))])
            sizes.append(weight * size)
            if len({row for row, _ in calls}) == 1:
                met[calls[0][0]] += weight
                for function in sample.reached[index]:
                    reached[calls[0][0]][function] = reached[calls[0][0]].get(function, 0.0) + weight
    each = np.linalg.lstsq(np.asarray(rows), np.asarray(sizes), rcond=None)[0]
    known: dict[str, list[int]] = {}
    for sample in given:
        for function, size in sample.functions.items():
            known.setdefault(function, []).append(size)
    exact = {name: (float(value), met[name], reached[name]) for name, value in zip(names, each, strict=False)}
    parts = {name: [name] for name in names}
    for name in names:
        for whole in _wholes(name):
            parts.setdefault(whole, []).append(name)
    kernels = {name.split("/")[0] for name in names}
    one = {
        "kernels": {name: _joined([exact[part] for part in listed]) for name, listed in parts.items()},
        "thunk": max(round(float(each[-1])), 0),
        "functions": {function: round(float(np.mean(found))) for function, found in sorted(known.items())},
        "fixed": 0,
        "data": {name: size for name in sorted(kernels) if (size := min(_data(given, name), default=0))},
        "stack": {name: _stack(given, name) for name in sorted(kernels)},
        "stack_fixed": max(
            (s.stack_bytes - max(s.stacks.values(), default=0) for s in given if s.stack_bytes), default=0
        ),
    }
    rest = [s.code_bytes - code_size.estimate(one, s.program)[0] for s in given if s.is_model]
    return {**one, "fixed": max(round(float(np.median(rest))), 0)}


def _wholes(name: str) -> list[str]:
    """The rows that an exact one is part of: ``a/b`` and ``a`` for ``a/b/c``."""
    words = name.split("/")
    return ["/".join(words[:count]) for count in range(1, len(words))]


def _joined(parts: Sequence[tuple[float, float, dict[str, float]]]) -> dict[str, Any]:
    """The row of one kernel in one form and type, or of several: the mean of the sizes, all calls of functions."""
    size, met = float(np.mean([part[0] for part in parts])), sum(part[1] for part in parts)
    reached: dict[str, float] = {}
    for _, _, functions in parts:
        for function, count in functions.items():
            reached[function] = reached.get(function, 0.0) + count
    return {"each": max(round(size), 0), "functions": {f: round(n / met, 3) for f, n in sorted(reached.items())}}


def _stack(given: Sequence[Sample], kernel: str) -> int:
    """The most that an operator whose last call is of the kernel was seen to take."""
    routines = [(sample, index, sample.program.routines[index].calls) for sample in given for index in sample.stacks]
    return max((s.stacks[i] for s, i, calls in routines if calls and calls[-1].kernel == kernel), default=0)


def _data(given: Sequence[Sample], kernel: str) -> list[int]:
    """Bytes of .data and .bss, the arena not counted, of the libraries that have the kernel."""
    return [s.data_bytes for s in given if any(c.kernel == kernel for r in s.program.routines for c in r.calls)]


def table_of(given: Sequence[Sample]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The table with its error, and each model's code as it is and as it is predicted without it."""
    rows = {}
    for left_out in (sample for sample in given if sample.is_model):
        others = fit([sample for sample in given if sample.origin != left_out.origin])
        predicted = code_size.estimate(others, left_out.program)[0]
        rows[left_out.name] = {"code": left_out.code_bytes, "predicted": predicted}
    errors = [abs(row["predicted"] / row["code"] - 1) for row in rows.values()]
    return {**fit(given), "error": round(float(np.mean(errors)), 3), "models": len(rows)}, rows


def _text(found: dict[str, Any]) -> str:
    blocks = []
    for core, (one, rows) in found.items():
        lines = [_line(name, row["code"], row["predicted"]) for name, row in rows.items()]
        head = f"{core}: leave-one-out error {100 * one['error']:.1f} % over {one['models']} models"
        blocks.append(f"{head}\n{table([('model', 'code, bytes', 'predicted', ''), *lines])}")
    return "\n\n".join(blocks)


def _line(name: str, code: float, predicted: float) -> tuple[str, ...]:
    return name[-60:], f"{code:,}", f"{predicted:,}", f"{100 * (predicted / code - 1):+.1f} %"


if __name__ == "__main__":
    sys.exit(main())
