"""Short forms of weights against the RAM that unpacking them takes: what each goal chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.constants import constant_bytes
from edgecompile.kernels.program import Program, compile_network
from edgecompile.kernels.weight_forms import FORMS
from edgecompile.kernels.weight_packing import NUMBERS
from edgecompile.memory.program_plan import plan_program
from edgecompile.memory.weighed import compile_weighed

GOALS = ("size", "balanced", "speed")


def convolutions(sizes: Sequence[tuple[int, int, int]], values: int = 16, holes: bool = False) -> Network:
    """3x3 convolutions (inputs, outputs, height and width of the output) whose weights have few values.

    ``holes``: every other 2x2 block over output and input channels is zero.
    """
    build, draw = NetworkBuilder(), np.random.default_rng(0)
    first_c, _, side = sizes[0]
    x = build.input("x", (1, 2 * side, 2 * side, first_c), "int8", scale=0.05, zero_point=-7)
    shared = np.linspace(-120, 120, values).astype(np.int8)
    for index, (in_c, out_c, out) in enumerate(sizes):
        weights = draw.choice(shared, (out_c, 3, 3, in_c)).astype(np.int8)
        if holes:
            weights.reshape(out_c // 2, 2, 9, in_c // 2, 2)[:, :, :, ::2] = 0
        w = build.constant(f"w{index}", weights, scale=0.01)
        y = build.tensor(f"y{index}", (1, out, out, out_c), "int8", scale=0.4, zero_point=5)
        options = {"padding": "SAME", "stride_w": 2, "stride_h": 2, "dilation_w_factor": 1, "dilation_h_factor": 1}
        build.op("CONV_2D", [x, w], [y], **options)
        x = y
    return build.output(x).build()


SMALL = ((8, 16, 7), (16, 32, 4), (32, 32, 2))
WIDE_FIRST = ((4, 8, 48), (8, 16, 24), (16, 64, 12), (64, 64, 6))


def made(network: Network, goal: str, ram_bytes: int | None = None) -> Program:
    return compile_weighed(network, forms=FORMS, goal=goal, kernels="dsp", ram_bytes=ram_bytes)


def arena(network: Network, program: Program) -> int:
    return plan_program(network, program).plan.arena_bytes


def at_once(program: Program) -> list[int]:
    calls = [call for routine in program.routines for call in routine.calls]
    return [int(call.settings["at_once"]) for call in calls if "at_once" in call.settings]


@pytest.mark.parametrize("sizes", [SMALL, WIDE_FIRST], ids=["scratch at the peak", "tensors at the peak"])
def test_size_never_costs_more_ram_than_it_saves_flash(sizes: Sequence[tuple[int, int, int]]) -> None:
    network = convolutions(sizes)
    dense = compile_network(network)

    found = made(network, "size")

    saved = constant_bytes(dense) - constant_bytes(found)
    assert saved > 0
    assert arena(network, found) - arena(network, dense) <= saved


@pytest.mark.parametrize("goal", GOALS)
def test_a_layer_away_from_the_peak_unpacks_for_several_blocks_for_nothing(goal: str) -> None:
    network = convolutions(WIDE_FIRST)
    dense = compile_network(network)

    found = made(network, goal)

    assert arena(network, found) == arena(network, dense)
    assert all(count > 1 for count in at_once(found))


def test_more_speed_takes_more_ram_and_never_the_other_way_round() -> None:
    network = convolutions(SMALL)

    arenas = [arena(network, made(network, goal)) for goal in ("size", "balanced")]
    plainly = arena(network, compile_network(network, forms=FORMS, goal="balanced"))

    assert arenas[0] <= arenas[1] <= plainly
    assert arenas[0] < plainly


@pytest.mark.parametrize("goal", GOALS)
def test_what_does_not_fit_into_the_ram_gives_way_to_what_does(goal: str) -> None:
    network = convolutions(SMALL)
    least = arena(network, made(network, "size"))

    found = made(network, goal, ram_bytes=least)

    assert arena(network, found) <= least


@pytest.mark.parametrize("goal", GOALS)
def test_weights_of_many_values_stay_as_they_are(goal: str) -> None:
    network = convolutions(SMALL, values=200)
    dense = compile_network(network)

    found = made(network, goal)

    assert [call.kernel for r in found.routines for call in r.calls] == [
        call.kernel for r in dense.routines for call in r.calls
    ]


def test_a_network_with_a_refusal_is_told_as_it_is() -> None:
    build = NetworkBuilder()
    x, y = build.input("x", (1, 4), "int8", scale=0.1), build.tensor("y", (1, 4), "int8", scale=0.1)
    build.op("COMPLEX_ABS", [x], [y])

    found = made(build.output(y).build(), "balanced")

    assert len(found.refusals) == 1


@pytest.mark.parametrize(
    ("code_bytes", "is_short"),
    [pytest.param(100, True, id="little code"), pytest.param(100_000, False, id="more code than they save")],
)
@pytest.mark.parametrize("goal", ["size", "balanced"])
def test_short_forms_whose_code_costs_more_than_they_save_are_not_taken(
    goal: str, code_bytes: int, is_short: bool
) -> None:
    network = convolutions(SMALL)
    dense = compile_network(network)

    found = compile_weighed(
        network,
        forms=FORMS,
        goal=goal,
        kernels="dsp",
        code_bytes=lambda program: 5000 + (code_bytes if constant_bytes(program) < constant_bytes(dense) else 0),
    )

    assert (constant_bytes(found) < constant_bytes(dense)) == is_short


def test_lists_of_blocks_give_way_to_shared_values_where_their_code_alone_is_too_much() -> None:
    network = convolutions(SMALL, values=15, holes=True)

    def code_bytes(program: Program) -> int:
        forms = {call.settings.get("form") for routine in program.routines for call in routine.calls}
        return 100_000 if forms & {NUMBERS["block2x2"], NUMBERS["block2x2_shared4"]} else 0

    found = compile_weighed(network, forms=FORMS, goal="size", kernels="dsp", code_bytes=code_bytes)

    assert code_bytes(made(network, "size")) == 100_000
    forms = {call.settings.get("form") for routine in found.routines for call in routine.calls}
    assert NUMBERS["shared4"] in forms
    assert code_bytes(found) == 0
