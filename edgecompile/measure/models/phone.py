"""Latency on reference phones, predicted from published tables of measured networks; never a measurement itself.

    t = a + b · MACs + c · values,   a, b, c ≥ 0

``MACs`` in millions, ``values`` the millions of values that operators with multiply-accumulates write; the factors make
the sum of squared relative errors over a table's rows least. A table says how well that does: each row predicted from
the others (leave one out).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.core.errors import bad_input
from edgecompile.core.report import Measure
from edgecompile.ir.costs import macs
from edgecompile.ir.network import Network
from edgecompile.measure.prediction import Prediction

Array = np.ndarray[Any, Any]
_NEEDED = ("phone", "processor", "dtype", "runtime", "rows")
_EIGHT_BITS = ("int8", "uint8")


def predict(networks: Sequence[tuple[Network, Sequence[int]]], measure: Mapping[str, Any]) -> tuple[Prediction, ...]:
    """A latency for each table of the network's element type. Raises BadInputError EC762 for a table not complete."""
    tables = _tables(measure)
    for name, table in tables.items():
        _check(name, table)
    return tuple(_prediction(network, running, tables) for network, running in networks)


def figures(measure: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the latencies, of all element types."""
    return tuple(_figure(name) for name in _tables(measure))


def fit(rows: Sequence[Sequence[float]]) -> Array:
    """The factors a, b, c of rows (MACs, values, ms): the best of all choices that leave none below 0."""
    known = np.asarray(rows, np.float64)
    features = np.column_stack([np.ones(len(known)), known[:, :2]]) / known[:, 2:]
    best, least = np.zeros(3), np.inf
    for size in (1, 2, 3):
        for chosen in itertools.combinations(range(3), size):
            factors = np.linalg.lstsq(features[:, chosen], np.ones(len(known)), rcond=None)[0]
            error = float(((features[:, chosen] @ factors - 1) ** 2).sum())
            if (factors >= 0).all() and error < least:
                best, least = np.zeros(3), error
                best[list(chosen)] = factors
    return best


def leave_one_out(rows: Sequence[Sequence[float]]) -> float:
    """The mean relative error of rows that are each predicted from the others."""
    errors = []
    for index, (count, values, duration) in enumerate(rows):
        factors = fit([*rows[:index], *rows[index + 1 :]])
        errors.append(abs(float(factors @ (1.0, count, values)) / duration - 1))
    return float(np.mean(errors))


def work_of(network: Network) -> tuple[float, float, str]:
    """Millions of multiply-accumulates, millions of values written with them, and their element type.

    The type is int8 where most of the work is done in 8 bits, else float32.
    """
    count = values = quantized = 0
    main = network.main
    for operator in main.operators:
        done = macs(main, operator) or 0
        if not done:
            continue
        count += done
        values += sum(tensor.elements for tensor in main.outputs_of(operator))
        quantized += done if main.outputs_of(operator)[0].dtype in _EIGHT_BITS else 0
    return count / 1e6, values / 1e6, "int8" if 2 * quantized > count else "float32"


def _tables(measure: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: table for name, table in measure.items() if isinstance(table, Mapping)}


def _figure(table: str) -> str:
    return f"predicted_ms_{table}"


def _prediction(network: Network, running: Sequence[int], tables: Mapping[str, Mapping[str, Any]]) -> Prediction:
    count, values, dtype = work_of(network)
    whole = len(running) == len(network.main.operators)
    found = []
    for name, table in tables.items():
        if table["dtype"] != dtype:
            continue
        rows = table["rows"]
        factors, error = fit(rows), leave_one_out(rows)
        duration = round(float(factors @ (1.0, count, values)), 2)
        found.append(
            Measure(
                name=_figure(name),
                value=duration if count else None,
                unit="ms",
                method=_method(table, error, count, whole) if count else "predicted: nothing to multiply",
            )
        )
    return Prediction(measures=tuple(found))


def _method(table: Mapping[str, Any], error: float, count: float, whole: bool) -> str:
    rows = table["rows"]
    low, high = min(row[0] for row in rows), max(row[0] for row in rows)
    words = [
        f"predicted, not measured: from {len(rows)} published rows of {table['phone']}, {table['processor']}, "
        f"{table['runtime']}",
        f"leave-one-out error {100 * error:.0f} %",
    ]
    if not low <= count <= high:
        words.append(f"beyond the rows, which have {low:g} to {high:g} million multiply-accumulates")
    if not whole:
        words.append("as if every operator ran there, which is not so")
    return "; ".join(words)


def _check(name: str, table: Mapping[str, Any]) -> None:
    rows = table.get("rows")
    absent = [key for key in _NEEDED if not table.get(key)]
    if not absent and isinstance(rows, list) and len(rows) >= 4 and all(_is_row(row) for row in rows):
        return
    raise bad_input(
        "EC762",
        f"[measure.{name}] is not a table of measured networks",
        notes=(
            f"it says {', '.join(_NEEDED)}; `rows` has at least 4 rows of three numbers above 0",
            *((f"absent: {', '.join(absent)}",) if absent else ()),
        ),
        help=("each row is [million MACs, million values, ms]",),
    )


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 3 and all(isinstance(x, (int, float)) and x > 0 for x in row)
