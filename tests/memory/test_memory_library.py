"""What a C library needs, part by part, and what is said when a device has less."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.core.project import Budget
from edgecompile.core.target import Placement, Target
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.constants import constant_bytes, holders
from edgecompile.kernels.program import Program, compile_network
from edgecompile.memory.budgets import Budgeted, hold
from edgecompile.memory.library import by_library
from edgecompile.memory.program_plan import plan_program


def network(twice: bool = False) -> Network:
    """One or two dense layers 16 -> 16 with the same weights and different biases."""
    build = NetworkBuilder()
    weights = np.random.default_rng(0).integers(-127, 128, (16, 16)).astype(np.int8)
    x = build.input("x", (1, 16), "int8", scale=0.1)
    for index in range(2 if twice else 1):
        w = build.constant(f"w{index}", weights, scale=0.01)
        b = build.constant(f"b{index}", np.full(16, 7 + index, np.int32), scale=0.001)
        y = build.tensor(f"layer{index}", (1, 16), "int8", scale=0.1)
        build.op("FULLY_CONNECTED", [x, w, b], [y])
        x = y
    return build.output(x).build()


def held(net: Network, budget: Budget, code_bytes: int = 500, stack_bytes: int = 100) -> Budgeted:
    program = compile_network(net)
    plan = plan_program(net, program).plan
    demand = by_library(
        program, plan, code_bytes=code_bytes, stack_bytes=stack_bytes, flash_method="counted", ram_method="counted"
    )
    device = Target(
        id="board", name="Board", family="f", description="d", numerics=("int8",), io_dtype="int8", operators={},
        placement=Placement(accelerator="mcu"), emit=(), judge="tflite",
    )  # fmt: skip
    return hold(demand, net, plan, target=device, budget=budget, model_name="m.tflite")


def arrays_of(program: Program) -> set[tuple[str, bytes]]:
    return {
        (array.dtype.name, array.tobytes())
        for routine in program.routines
        for call in routine.calls
        for array in call.constants.values()
    }


def test_constants_that_two_layers_share_are_counted_with_the_first() -> None:
    program = compile_network(network(twice=True))

    first, second = holders(program)

    assert first.size_bytes > second.size_bytes > 0
    assert (first.operator, first.label, first.layer) == (0, "FULLY_CONNECTED", "layer0")
    assert constant_bytes(program) == sum(-(-len(raw) // 4) * 4 for _, raw in arrays_of(program))


def test_flash_is_constants_and_code_and_ram_arena_and_stack() -> None:
    net = network()
    program = compile_network(net)
    arena = plan_program(net, program).plan.arena_bytes

    found = {measure.name: measure.value for measure in held(net, Budget()).measures}

    assert found == {"flash_bytes": constant_bytes(program) + 500, "ram_bytes": arena + 100}


@pytest.mark.parametrize(
    ("budget", "code", "says"),
    [
        pytest.param(Budget(flash_bytes=600), "EC601", ("constants", "code 500 B", "`layer0`", "shared-weights")),
        pytest.param(Budget(ram_bytes=110), "EC600", ("arena", "stack 100 B", "the peak is at operator 0")),
    ],
    ids=["flash", "RAM"],
)
def test_over_a_limit_names_parts_layers_and_remedies(budget: Budget, code: str, says: tuple[str, ...]) -> None:
    found = held(network(), budget)

    (diagnostic,) = found.diagnostics
    told = diagnostic.render()
    assert diagnostic.code == code
    assert all(words in told for words in says), told


def test_a_limit_that_is_just_met_is_no_diagnostic() -> None:
    needed = {m.name: int(m.value or 0) for m in held(network(), Budget()).measures}

    found = held(network(), Budget(flash_bytes=needed["flash_bytes"], ram_bytes=needed["ram_bytes"]))

    assert found.fits


def test_code_that_takes_all_of_the_flash_is_told_as_such() -> None:
    found = held(network(), Budget(flash_bytes=400))

    assert any("the code of this model alone takes all of it" in help for help in found.diagnostics[0].help)
