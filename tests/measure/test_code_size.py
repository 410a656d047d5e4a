"""Predicted code of C libraries: the sum of its formula, and that the shipped table comes near what a linker says."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgecompile.config.profiles import load
from edgecompile.emit.c.header import header
from edgecompile.emit.c.source import headers_of, source
from edgecompile.emit.emission import Layout
from edgecompile.emit.emitters.c_library import with_their_own
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.constants import constant_bytes
from edgecompile.kernels.program import Program, compile_network
from edgecompile.measure.board import code_size, library
from edgecompile.memory.program_plan import plan_program

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
needs_compiler = pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is missing")


def network(channels: tuple[int, ...] = (8, 12, 16, 20)) -> Network:
    """3x3 convolutions, from one number of channels to the next."""
    build = NetworkBuilder()
    draw = np.random.default_rng(1)
    x = build.input("x", (1, 16, 16, channels[0]), "int8", scale=0.1, zero_point=-3)
    for index, (before, after) in enumerate(itertools.pairwise(channels)):
        w = build.constant(f"w{index}", draw.integers(-127, 128, (after, 3, 3, before)).astype(np.int8), scale=0.01)
        b = build.constant(f"b{index}", draw.integers(-99, 99, after).astype(np.int32), scale=0.001)
        y = build.tensor(f"y{index}", (1, 16, 16, after), "int8", scale=0.1)
        options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}
        build.op("CONV_2D", [x, w, b], [y], **options)
        x = y
    return build.output(x).build()


def program() -> Program:
    return compile_network(network())


def table(**kernels: tuple[int, dict[str, float]]) -> dict[str, object]:
    listed = {name: {"each": each, "functions": shared} for name, (each, shared) in kernels.items()}
    return {"fixed": 10, "thunk": 20, "kernels": listed, "functions": {"inner": 1000}}


def test_calls_with_the_same_settings_share_an_instance() -> None:
    # The first one reads a tensor with another zero point, so its settings are its own.
    alike = compile_network(network((8, 8, 8, 8)))
    (kernel,) = {call.kernel for routine in alike.routines for call in routine.calls}

    size, by_operator, _ = code_size.estimate(table(**{kernel: (100, {})}), alike)

    assert (size, by_operator) == (10 + 100 + 100 + 2 * 20, {0: 100, 1: 120, 2: 20})


def test_a_function_that_calls_share_counts_once_and_calls_each_time() -> None:
    (kernel,) = {call.kernel for routine in program().routines for call in routine.calls}

    size, by_operator, unknown = code_size.estimate(table(**{kernel: (100, {"inner": 1.0})}), program())

    assert (size, by_operator, unknown) == (10 + 3 * 100 + 1000, {0: 100, 1: 100, 2: 100}, [])


def test_a_function_that_is_seldom_needed_counts_by_its_chance() -> None:
    (kernel,) = {call.kernel for routine in program().routines for call in routine.calls}

    size, _, _ = code_size.estimate(table(**{kernel: (100, {"inner": 0.5})}), program())

    assert size == 10 + 300 + 1000 * (1 - 0.5**3)


def test_a_kernel_that_nobody_measured_is_named() -> None:
    size, _, unknown = code_size.estimate(table(other=(60, {})), program())

    assert size == 10 + 3 * 60
    assert len(unknown) == 1


def test_a_core_that_nobody_measured_says_so() -> None:
    found = code_size.predict(program(), "some-core")

    assert found.size_bytes > 0 and "nobody measured `some-core`" in found.basis


@needs_compiler
@pytest.mark.parametrize("core", CORES)
def test_the_table_comes_near_what_is_linked(core: str, tmp_path: Path) -> None:
    target = load(core)
    net = network()
    made = compile_network(net, kernels=target.kernels)
    write(net, made, tmp_path)

    counted = library.figures(tmp_path, "m", 1, target.board["compiler_flags"], tmp_path / "out", core)
    predicted = code_size.predict(made, core)

    code = counted.flash_bytes - constant_bytes(made)
    # Twice the worst mean error in the table: one model is not the average of them.
    assert abs(predicted.size_bytes / code - 1) < 2 * 0.25, (code, predicted)
    assert counted.stack.size_bytes is not None
    assert counted.stack.size_bytes <= predicted.stack_bytes
    assert counted.ram_bytes >= plan_program(net, made).plan.arena_bytes
    assert all("linked for" in measure.method for measure in counted.measures())


def write(net: Network, made: Program, folder: Path) -> None:
    plan = plan_program(net, made)
    layout = Layout(arena_bytes=plan.plan.arena_bytes, offsets=plan.offsets, scratch=plan.scratch)
    (folder / "m.h").write_text(header("m", made.subgraph, layout), encoding="ascii")
    (folder / "m.c").write_text(source("m", made, layout), encoding="ascii")
    (folder / "kernels").mkdir()
    for kernel, text in with_their_own(("rounding", *headers_of(made))).items():
        (folder / "kernels" / f"{kernel}.h").write_text(text, encoding="ascii")
