"""Rows of the tables of measured kernels: a form of weights and a type of numbers before the kernel as a whole."""

from __future__ import annotations

import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.kernels.program import compile_network
from edgecompile.kernels.routine import Call, Setting
from edgecompile.measure.board import code_size, instructions
from edgecompile.measure.board.rows import row_in, rows_of


def graph_of(dtype: str):  # type: ignore[no-untyped-def]
    build = NetworkBuilder()
    x = build.input("x", (1, 8), dtype, scale=1.0)
    return build.output(x).build().main


def call(kernel: str, **settings: Setting) -> Call:
    return Call(kernel=kernel, settings=settings, constants={}, inputs=(0,), outputs=(0,))


@pytest.mark.parametrize(
    "kernel, settings, dtype, rows",
    [
        pytest.param(
            "conv_2d_forms_s8",
            {"form": 3, "line_shift": 12},
            "int8",
            ("conv_2d_forms_s8/3/12", "conv_2d_forms_s8/3", "conv_2d_forms_s8"),
            id="form and line",
        ),
        pytest.param("convolve", {}, "int16", ("convolve/int16", "convolve"), id="type"),
        pytest.param("conv_2d_s8", {}, "int8", ("conv_2d_s8",), id="one type"),
    ],
)
def test_rows_go_from_exact_to_whole(
    kernel: str, settings: dict[str, Setting], dtype: str, rows: tuple[str, ...]
) -> None:
    assert rows_of(graph_of(dtype), call(kernel, **settings)) == rows


def test_the_most_exact_row_that_there_is_counts() -> None:
    rows = ("convolve/int16", "convolve")

    assert row_in({"convolve", "convolve/int16"}, rows) == "convolve/int16"
    assert row_in({"convolve", "convolve/float32"}, rows) == "convolve"
    assert row_in({"other"}, rows) is None


def test_both_tables_price_a_call_by_its_type() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "float32")
    y = build.tensor("y", (1, 8), "float32")
    build.op("ADD", [x, x], [y])
    program = compile_network(build.output(y).build())
    (key, whole) = rows_of(program.subgraph, program.routines[0].calls[0])
    shares = {"functions": {}}
    sizes = {
        "fixed": 0,
        "thunk": 0,
        "functions": {},
        "kernels": {key: {"each": 7, **shares}, whole: {"each": 9, **shares}},
    }
    counts = {"kernels": {key: [7, 0, 0, 0, 0], whole: [9, 0, 0, 0, 0], instructions.ANY: [1, 0, 0, 0, 0]}}

    assert code_size.estimate(sizes, program)[0] == 7
    assert instructions.estimate(counts, program)[0] == {0: 7}
