"""Predicted time of a C library on a board: the sums of its formulas, and what profiles and tables must state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgecompile.config.profiles import load, names
from edgecompile.ir.build import NetworkBuilder
from edgecompile.kernels.program import Program, compile_network
from edgecompile.measure.board import code_size, cycles, instructions
from edgecompile.measure.board.cycles import Timing

TIMING = Timing(
    clock_hz=100_000_000,
    cycles_per_instruction=1.5,
    error_ratio=0.1,
    wait_states=3,
    line_bytes=8,
    data_cache_bytes=0,
    knows_flash=True,
)
BOARDS = tuple(name for name in names() if "c_library" in load(name).emit and load(name).board.get("core"))


def dense(outputs: int = 64) -> Program:
    build, draw = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, 64), "int8", scale=0.1)
    w = build.constant("w", draw.integers(-127, 128, (outputs, 64)).astype(np.int8), scale=0.01)
    y = build.tensor("y", (1, outputs), "int8", scale=0.1)
    build.op("FULLY_CONNECTED", [x, w], [y])
    return compile_network(build.output(y).build())


def convolution(pixels: int) -> Program:
    build, draw = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, pixels, 1, 16), "int8", scale=0.1)
    w = build.constant("w", draw.integers(-127, 128, (16, 1, 1, 16)).astype(np.int8), scale=0.01)
    y = build.tensor("y", (1, pixels, 1, 16), "int8", scale=0.1)
    build.op("CONV_2D", [x, w], [y], padding="VALID", stride_w=1, stride_h=1, dilation_w_factor=1, dilation_h_factor=1)
    return compile_network(build.output(y).build())


@pytest.mark.parametrize(
    ("instructions", "streamed", "cycles_"),
    [(1000, 0, 1500.0), (1000, 800, 1500.0), (100, 800, 400.0)],
    ids=["nothing from flash", "the flash keeps up", "the flash is waited for"],
)
def test_the_slower_of_executing_and_reading_counts(instructions: int, streamed: int, cycles_: float) -> None:
    assert cycles.bound(TIMING, instructions, streamed) == cycles_


def test_a_flash_that_nobody_described_is_taken_as_if_it_kept_up() -> None:
    assert cycles.bound(replace(TIMING, knows_flash=False), 10, 10**6) == 15.0


def test_dense_weights_are_read_once() -> None:
    found = cycles.cycles_of(dense(), {0: 1.0}, TIMING)

    # 4 096 bytes of weights, 8 a read of four cycles.
    assert found == {0: 4096 / 8 * 4}


def test_weights_of_a_convolution_are_read_for_every_four_pixels_unless_they_are_cached() -> None:
    once = cycles.cycles_of(convolution(4), {0: 1.0}, TIMING)[0]

    assert cycles.cycles_of(convolution(40), {0: 1.0}, TIMING)[0] == 10 * once
    assert cycles.cycles_of(convolution(40), {0: 1.0}, replace(TIMING, data_cache_bytes=4096))[0] == once


@pytest.mark.parametrize(
    ("board", "known"),
    [
        ({"timing": {"cycles_per_instruction": 2}}, True),
        ({"timing": {"cycles_per_instruction": 2}, "emulated": True}, False),
        ({"clock_hz": 1}, False),
    ],
    ids=["a core", "an emulated clock", "no timing"],
)
def test_time_is_predicted_where_a_profile_says_how(board: dict[str, Any], known: bool) -> None:
    assert (cycles.timing_of(board) is not None) == known


@pytest.mark.parametrize("name", BOARDS)
def test_every_core_with_a_c_library_has_sizes_and_timing(name: str) -> None:
    board = load(name).board

    code = code_size.predict(dense(), str(board["core"]))

    assert "nobody measured" not in code.basis
    assert board["timing"]["source"]
    assert cycles.timing_of(board) is not None or board.get("emulated")


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"])
def test_counted_cores_state_their_error(core: str) -> None:
    found = instructions.predict(dense(), core)

    assert found is not None and 0 < found.error_ratio < 0.5
    assert "leave-one-out error" in found.basis and "half of the models below" in found.basis


def test_instructions_grow_with_the_products() -> None:
    small, large = (instructions.predict(dense(outputs), "cortex-m4") for outputs in (16, 256))

    assert small is not None and large is not None
    assert 5 * small.count < large.count < 20 * small.count
    assert "leave-one-out error" in small.basis


def test_a_core_that_nobody_counted_on_has_no_prediction() -> None:
    assert instructions.predict(dense(), "some-core") is None


def test_a_kernel_that_nobody_counted_is_named() -> None:
    table = {"kernels": {instructions.ANY: [7.0, 0.0, 0.0, 0.0, 1.0]}}

    found, unknown = instructions.estimate(table, dense())

    assert found == {0: 7.0 + 64}
    assert len(unknown) == 1
