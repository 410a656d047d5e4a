"""Products of scales: in float64, as the reference multiplies them; float32 would round some results elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.rounding import quantize_multiplier, scale

pytestmark = needs_gcc
# Scales whose product is not a float32.
FIRST, SECOND = float(np.float32(0.0131)), float(np.float32(0.0173))
# A row of so many products by 127 and so many by 1 makes any sum there is.
COARSE, FINE = 500, 100


def on_the_edge(output: float, largest: int) -> list[int]:
    """Sums whose int8 result depends on how FIRST and SECOND are multiplied."""
    exact = FIRST * SECOND / output
    rough = float(np.float32(FIRST) * np.float32(SECOND)) / output
    near = (round((half + 0.5) / exact) + step for half in range(126) for step in range(-3, 4))
    sums = np.array(sorted(value for value in near if value < largest))
    found = sums[scale(sums, *quantize_multiplier(exact)) != scale(sums, *quantize_multiplier(rough))]
    assert len(found) >= 3
    return [int(value) for value in found]


def filters() -> Make:
    """The state stays 0, so that each output is its bias alone, scaled."""
    biases = on_the_edge(40.0, 1 << 30)
    units = len(biases)
    tensors = [
        T((1, 2), "int8", 0.05, 0),
        T((units, 2), "int8", 0.01, values=np.zeros((units, 2))),
        T((units, 2), "int16", SECOND, values=np.zeros((units, 2))),
        T((units,), "int32", FIRST * SECOND, values=biases),
        T((1, units * 2), "int16", FIRST, variable=True),
    ]
    return one("SVDF", tensors, [T((1, units), "int8", 40.0)], rank=1, fused_activation_function="RELU")


def matrices() -> Network:
    """Rows by a column that is always the same, whatever the input: the input is held between two equal bounds."""
    rows = np.array([_row(value) for value in on_the_edge(3.0, 127 * 127 * COARSE)], np.int8)
    column = np.array([127] * COARSE + [1] * FINE, np.int8).reshape(1, -1, 1)
    build = NetworkBuilder()
    x = build.input("x", column.shape, "int8", scale=SECOND)
    bound = build.constant("bound", column, "int8", scale=SECOND)
    low = build.op("MAXIMUM", [x, bound], [build.tensor("low", column.shape, "int8", scale=SECOND)])
    same = build.op("MINIMUM", [low, bound], [build.tensor("same", column.shape, "int8", scale=SECOND)])
    first = build.constant("rows", rows[None], "int8", scale=FIRST)
    output = build.tensor("y", (1, len(rows), 1), "int8", scale=3.0)
    options = {"adj_x": False, "adj_y": False, "asymmetric_quantize_inputs": False}
    return build.output(build.op("BATCH_MATMUL", [first, same], [output], **options)).build()


def _row(value: int) -> list[int]:
    by_127, by_1 = divmod(value, 127)
    return [*_spread(by_127, COARSE), *_spread(by_1, FINE)]


def _spread(total: int, count: int) -> list[int]:
    each, more = divmod(total, count)
    return [each + 1] * more + [each] * (count - more)


CASES: dict[str, Make] = {"SVDF": filters(), "BATCH_MATMUL": matrices}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("products")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_results_on_the_edge_of_rounding_are_the_references(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
