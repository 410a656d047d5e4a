"""Tensors that share bytes: where it is allowed, where it pays, and that nothing alive is ever overwritten."""

from __future__ import annotations

import random

import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.memory.arena import plan
from edgecompile.memory.shared import Overlap, SharedPlan, Sharing, plan_shared


def chain(*sizes: int) -> Network:
    """Tensor 0 is the input, operator i makes tensor i + 1."""
    build = NetworkBuilder()
    last = build.input("x", (sizes[0],), "int8")
    for index, size in enumerate(sizes[1:]):
        last = build.op("RELU", [last], [build.tensor(f"t{index}", (size,), "int8")])
    return build.output(last).build()


def test_without_anything_to_share_it_is_the_plain_plan() -> None:
    network = chain(100, 60, 100, 20)

    shared = plan_shared(network, Sharing(), 4)

    assert shared.plan.arena_bytes == plan(network, 4).arena_bytes == 160


def test_an_alias_is_at_its_inputs_place() -> None:
    shared = plan_shared(chain(100, 100, 20), Sharing(aliases=((1, 0),)), 4)

    assert shared.offsets[0] == shared.offsets[1]
    assert shared.plan.arena_bytes == 120


def test_a_result_in_place_of_its_input_takes_no_room_of_its_own() -> None:
    shared = plan_shared(chain(100, 100, 100), Sharing(in_place=((0, 1, 0), (1, 2, 1))), 4)

    assert shared.plan.arena_bytes == 100


def test_an_input_that_is_needed_later_keeps_its_bytes() -> None:
    build = NetworkBuilder()
    x = build.input("x", (100,), "int8")
    y = build.op("RELU", [x], [build.tensor("y", (100,), "int8")])
    z = build.op("ADD", [x, y], [build.tensor("z", (100,), "int8")])
    network = build.output(z).build()

    shared = plan_shared(network, Sharing(in_place=((0, y, x), (1, z, x))), 4)

    assert shared.offsets[y] != shared.offsets[x] == shared.offsets[z]
    assert shared.plan.arena_bytes == 200


@pytest.mark.parametrize(
    ("distance", "arena"), [(0, 100), (16, 116), (50, 152), (100, 200), (-20, 100)], ids=lambda value: str(value)
)
def test_an_overlap_costs_its_distance(distance: int, arena: int) -> None:
    sharing = Sharing(overlaps=(Overlap(step=0, over=1, under=0, distance=distance),))

    shared = plan_shared(chain(100, 100), sharing, 4)

    assert shared.plan.arena_bytes == arena
    assert shared.offsets[1] <= shared.offsets[0] - distance or arena == 200


def test_an_output_written_backwards_begins_where_its_input_does() -> None:
    backwards = Overlap(step=1, over=1, under=2, distance=0)
    sharing = Sharing(overlaps=(Overlap(step=0, over=1, under=0, distance=10), backwards))

    shared = plan_shared(chain(100, 60, 120), sharing, 4)

    assert shared.plan.arena_bytes == 120
    assert shared.offsets[1] <= min(shared.offsets[2], shared.offsets[0] - 10)


def test_scratch_is_there_in_its_step_only() -> None:
    shared = plan_shared(chain(100, 40, 100), Sharing(scratch_bytes={0: 30, 1: 10}), 4)

    assert shared.plan.arena_bytes == 172
    assert set(shared.scratch) == {0, 1}
    assert [a.name for a in shared.plan.allocations if a.tensor < 0] == ["scratch of RELU", "scratch of RELU"]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_alive_together_shares_only_what_is_allowed(seed: int) -> None:
    draw = random.Random(seed)
    network = chain(*(draw.randint(1, 200) for _ in range(draw.randint(2, 16))))
    count = len(network.main.operators)
    overlaps = tuple(
        Overlap(step=i, over=i + (not backwards), under=i + backwards, distance=draw.randint(-250, 250))
        for i in range(count)
        for backwards in [draw.random() < 0.4]
        if draw.random() < 0.6
    )
    scratch = {i: draw.randint(1, 80) for i in range(count) if draw.random() < 0.4}

    shared = plan_shared(network, Sharing(overlaps=overlaps, scratch_bytes=scratch), 4)

    assert shared.plan.lower_bound_bytes <= shared.plan.arena_bytes
    allowed = {(o.over, o.under): o.distance for o in overlaps}
    check(shared, allowed)


def check(shared: SharedPlan, allowed: dict[tuple[int, int], int]) -> None:
    rows = shared.plan.allocations
    for index, one in enumerate(rows):
        assert one.offset % 4 == 0
        assert one.offset + one.size_bytes <= shared.plan.arena_bytes
        for two in rows[index + 1 :]:
            apart = one.offset + one.size_bytes <= two.offset or two.offset + two.size_bytes <= one.offset
            if one.last < two.first or two.last < one.first or apart:
                continue
            pairs = [(one, two), (two, one)]
            assert any(
                (over.tensor, under.tensor) in allowed
                and over.offset <= under.offset - allowed[over.tensor, under.tensor]
                for over, under in pairs
            )
