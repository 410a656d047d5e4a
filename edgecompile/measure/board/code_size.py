"""What the code of a C library will take on a core, from what linked libraries took: ``code_sizes.json``.

    code = fixed + Σ instances each(kernel) + calls that share one · thunk
         + Σ functions size(function) · (1 − Π instances (1 − share(kernel, function)))

``each``: an instance of a kernel with its settings as constants, which calls with the same settings share.
``functions``: what kernels call, once however many call it; ``share``: how often an instance of the kernel was seen to
need the function. A kernel has a row for each form of weights and type of numbers it was seen with, and one for all of
them (``rows``). ``scripts/bench code_sizes --write`` measures the table and its error, each model predicted without
itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edgecompile.kernels.alike import kind_of, kinds_of
from edgecompile.kernels.program import Program
from edgecompile.measure.board.rows import row_in, rows_of

TABLE = "code_sizes.json"


@dataclass(frozen=True, kw_only=True)
class CodeSize:
    """A prediction: bytes of code, of .data and .bss and of stack; how wrong it was, on average, where it was checked.

    ``basis``: from what and how it was obtained, in words.
    """

    size_bytes: int
    data_bytes: int
    stack_bytes: int
    error_ratio: float
    basis: str
    by_operator: Mapping[int, float]

    @property
    def least_bytes(self) -> int:
        """What the code takes even if the prediction is wrong by three times as much as on average."""
        return int(self.size_bytes * max(1 - 3 * self.error_ratio, 0))


def predict(program: Program, core: str) -> CodeSize:
    """The code of a whole program on a core; one that nobody measured takes that of the largest table."""
    tables = _tables()
    own = tables["cores"].get(core)
    table = own if own is not None else max(tables["cores"].values(), key=lambda one: float(one["fixed"]))
    size, by_operator, unknown = estimate(table, program)
    words = [f"{tables['compiler']}, {table['models']} models", f"leave-one-out error {100 * table['error']:.0f} %"]
    if own is None:
        words.append(f"for another core: nobody measured `{core}`")
    if unknown:
        words.append(f"not measured: {', '.join(unknown)}, taken as the median of the others")
    return CodeSize(
        size_bytes=size,
        data_bytes=max((table.get("data", {}).get(name, 0) for name in _kernels(program)), default=0),
        stack_bytes=max((table["stack"].get(name, 0) for name in _kernels(program)), default=0) + table["stack_fixed"],
        error_ratio=float(table["error"]),
        basis="; ".join(words),
        by_operator=by_operator,
    )


def estimate(table: Mapping[str, Any], program: Program) -> tuple[int, dict[int, float], list[str]]:
    """Bytes by one core's table: in all, by operator without what they share, and kernels that the table lacks."""
    kernels, by_operator = table["kernels"], dict[int, float]()
    absent: dict[str, float] = {}
    typical = sorted(one["each"] for one in kernels.values())[len(kernels) // 2] if kernels else 0
    alike, made = kinds_of(program), set()
    for index, routine in enumerate(program.routines):
        for call in routine.calls:
            kind = kind_of(program.subgraph, call)
            size = table["thunk"] if alike[kind] > 1 else 0
            if kind not in made:
                made.add(kind)
                row = row_in(kernels, rows_of(program.subgraph, call))
                known = kernels[row] if row is not None else None
                size += known["each"] if known else typical
                for function, share in (known["functions"] if known else {}).items():
                    absent[function] = absent.get(function, 1.0) * (1.0 - share)
            by_operator[index] = by_operator.get(index, 0) + size
    shared = sum(table["functions"].get(function, 0) * (1.0 - chance) for function, chance in absent.items())
    unknown = sorted(f"`{name}`" for name in _kernels(program) if name not in kernels)
    return round(table["fixed"] + sum(by_operator.values()) + shared), by_operator, unknown


def _kernels(program: Program) -> Counter[str]:
    return Counter(call.kernel for routine in program.routines for call in routine.calls)


@cache
def _tables() -> dict[str, Any]:
    text = files("edgecompile.measure.board").joinpath(TABLE).read_text(encoding="utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables
