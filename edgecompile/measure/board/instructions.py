"""How many instructions a C library will execute on a core, from what emulated boards counted: ``instructions.json``.

    instructions = fixed + Σ operators (a + b · products + c · gathered + d · inputs + e · outputs)

for each kernel with factors a … e of its own, and for each form of weights and type of numbers it was seen with
(``rows``). ``products``: multiply-accumulates; ``gathered``: these divided by the output channels, which is what a
convolution picks up; inputs and outputs in elements. ``scripts/bench instructions --write`` counts, fits and keeps the
table with its error, each model predicted without itself and others of its origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edgecompile.ir.costs import macs
from edgecompile.ir.network import Operator, Subgraph
from edgecompile.kernels import conv_2d_few_dense_s8
from edgecompile.kernels.program import Program
from edgecompile.measure.board.rows import row_in, rows_of

TABLE = "instructions.json"
# The factors of kernels that nobody counted: fitted over all.
ANY = "any"
_RECURRENT = ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """A prediction of one inference, by operator too; how wrong it was, on average, where it was checked (0 to 1)."""

    count: int
    by_operator: Mapping[int, int]
    error_ratio: float
    basis: str


def predict(program: Program, core: str) -> Instructions | None:
    """One inference of a whole program; None for a core that nobody counted on."""
    tables = _tables()
    table = tables["cores"].get(core)
    if table is None:
        return None
    other = table.get("as")
    table = tables["cores"][other] if other else table
    by_operator, unknown = estimate(table, program)
    words = [f"from counts of {table['models']} models on {table['counted_on']}"]
    if other:
        words.append(f"code of `{other}`")
    half = f"half of the models below {100 * table['median']:.0f} %"
    words.append(f"leave-one-out error {100 * table['error']:.0f} %, {half}")
    if unknown:
        words.append(f"not counted: {', '.join(unknown)}, taken as the others on average")
    return Instructions(
        count=round(sum(by_operator.values())),
        by_operator={index: round(count) for index, count in by_operator.items()},
        error_ratio=float(table["error"]),
        basis="; ".join(words),
    )


def estimate(table: Mapping[str, Any], program: Program) -> tuple[dict[int, float], list[str]]:
    """Instructions by operator from one core's table, and kernels that the table lacks."""
    kernels, found, unknown = table["kernels"], dict[int, float](), set()
    for index in range(len(program.routines)):
        for rows, step in _parts(program, index):
            row = row_in(kernels, rows)
            if row is None:
                unknown.add(f"`{rows[0]}`")
            factors = kernels[row or ANY]
            count = sum(f * x for f, x in zip(factors, features(program, step), strict=True))
            found[index] = found.get(index, 0.0) + count
    return found, sorted(unknown)


def _parts(program: Program, index: int) -> list[tuple[tuple[str, ...], int]]:
    """Rows of an operator's kernel, with the operator whose sizes count: two where one takes another's rows."""
    rows = rows_at(program, index)
    if conv_2d_few_dense_s8.TOGETHER not in rows:
        return [(rows, index)] if rows else []
    graph = program.subgraph
    made = max(step for step in range(index) if program.routines[step].unstored and macs(graph, graph.operators[step]))
    return [((conv_2d_few_dense_s8.WHOLE,), index), ((conv_2d_few_dense_s8.ROWS,), made)]


def rows_at(program: Program, index: int) -> tuple[str, ...]:
    """Rows of the kernel that does an operator's work, the most exact first; none: there is nothing to do."""
    calls = program.routines[index].calls
    return rows_of(program.subgraph, calls[-1]) if calls else ()


def features(program: Program, index: int) -> Sequence[float]:
    """What the factors are multiplied with."""
    graph, operator = program.subgraph, program.subgraph.operators[index]
    outputs = graph.outputs_of(operator)
    products = macs(graph, operator) or _matrices(graph, operator)
    channels = outputs[0].shape[-1] if outputs and outputs[0].shape else 1
    read = sum(t.elements for t in graph.inputs_of(operator) if t is not None and not t.is_constant)
    return (1.0, float(products), products / max(channels, 1), float(read), float(sum(t.elements for t in outputs)))


def _matrices(graph: Subgraph, operator: Operator) -> int:
    """Products of recurrent operators, not counted elsewhere: their matrices, for each time step of a sequence."""
    matrices = [t for t in graph.inputs_of(operator) if t is not None and t.is_constant and len(t.shape) == 2]
    source = graph.tensor(operator.inputs[0]) if operator.inputs else None
    steps = source.elements // max(source.shape[-1], 1) if source is not None and source.shape else 1
    return steps * sum(t.elements for t in matrices) if operator.name in _RECURRENT else 0


@cache
def _tables() -> dict[str, Any]:
    text = files("edgecompile.measure.board").joinpath(TABLE).read_text(encoding="utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables
