"""The picture of the arena: every byte where the plan puts it, in the width asked for."""

from __future__ import annotations

import pytest

from edgecompile.memory.arena import MemoryPlan, arrange
from edgecompile.memory.lifetimes import Lifetime, Step, Timeline
from edgecompile.memory.timeline import draw, table


def plan_of(blocks: list[tuple[int, int, int]], labels: list[str]) -> MemoryPlan:
    return arrange(
        Timeline(
            steps=tuple(Step(subgraph=0, operator=i, label=label) for i, label in enumerate(labels)),
            lifetimes=tuple(
                Lifetime(tensor=i, name=f"t{i}", size_bytes=size, first=first, last=last)
                for i, (size, first, last) in enumerate(blocks)
            ),
        )
    )


RESIDUAL = [(3_072, 0, 0), (16_384, 0, 3), (16_384, 1, 2), (16_384, 2, 3), (16_384, 3, 4), (64, 4, 5), (10, 5, 6)]
LABELS = ["CONV_2D", "CONV_2D", "CONV_2D", "ADD", "AVERAGE_POOL_2D", "FULLY_CONNECTED", "SOFTMAX"]
GOLDEN = """\
operator                    0                             48.0 KiB       alive
   0  CONV_2D              |AA.......................BBBBBBBBBBBBB|   19.0 KiB
   1  CONV_2D              |CCCCCCCCCCCC.............BBBBBBBBBBBBB|   32.0 KiB
   2  CONV_2D              |CCCCCCCCCCCCDDDDDDDDDDDDDBBBBBBBBBBBBB|   48.0 KiB <
   3  ADD                  |EEEEEEEEEEEEDDDDDDDDDDDDDBBBBBBBBBBBBB|   48.0 KiB
   4  AVERAGE_POOL_2D      |EEEEEEEEEEEEF.........................|   16.1 KiB
   5  FULLY_CONNECTED      |G...........F.........................|       80 B
   6  SOFTMAX              |G.....................................|       16 B"""


def test_the_picture_of_a_residual_network() -> None:
    lines = draw(plan_of(RESIDUAL, LABELS))

    assert "\n".join(lines) == GOLDEN


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_keep_to_the_width(width: int) -> None:
    labels = [*LABELS, "UNIDIRECTIONAL_SEQUENCE_LSTM"]

    lines = draw(plan_of([*RESIDUAL, (100, 6, 7)], labels), width=width)

    assert max(len(line) for line in lines) <= width
    assert len(lines) == 1 + len(labels)


def test_a_long_model_shows_its_peak_and_counts_the_rest() -> None:
    blocks = [(16 * (1 + 10 * (step == 70)), step, step + 1) for step in range(100)]

    lines = draw(plan_of(blocks, ["RELU"] * 101), rows=3)

    drawn = [line.split()[0] for line in lines if "|" in line]
    assert len(drawn) == 3 and {"70", "71"} < set(drawn)
    assert any(line.endswith("<") and line.split()[0] == "70" for line in lines)
    assert sum(int(line.split("(")[1].split()[0]) for line in lines if "with less" in line) == 98


def test_a_model_without_runtime_tensors_says_so() -> None:
    assert draw(plan_of([], [])) == ["nothing to place: no runtime tensor has a size"]


def test_the_table_holds_every_byte_of_the_plan() -> None:
    plan = plan_of(RESIDUAL, LABELS)

    found = table(plan)

    assert (found["arena_bytes"], found["peak_step"], found["steps"]) == (plan.arena_bytes, plan.peak_step, LABELS)
    assert [(t["name"], t["bytes"], t["first"], t["last"]) for t in found["tensors"]] == [
        (f"t{i}", *block) for i, block in enumerate(RESIDUAL)
    ]
    assert [t["offset"] for t in found["tensors"]] == [a.offset for a in plan.allocations]
