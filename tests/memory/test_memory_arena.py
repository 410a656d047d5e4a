"""The plan: nothing alive is overwritten, never worse than TFLM's planner, optimal where that can be checked."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecompile.memory.arena import MemoryPlan, arrange, plan
from edgecompile.memory.lifetimes import Lifetime, Step, Timeline

Block = tuple[int, int, int]


def timeline(blocks: list[Block]) -> Timeline:
    """``(size, first, last)`` by tensor."""
    steps = max((last + 1 for _, _, last in blocks), default=0)
    return Timeline(
        steps=tuple(Step(subgraph=0, operator=i, label="ADD") for i in range(steps)),
        lifetimes=tuple(
            Lifetime(tensor=i, name=f"t{i}", size_bytes=size, first=first, last=last)
            for i, (size, first, last) in enumerate(blocks)
        ),
    )


def tflm_greedy(blocks: list[Block]) -> int:
    """Arena of TensorFlow Lite Micro's GreedyMemoryPlanner, as its header describes it, over aligned sizes.

    Buffers are taken by size, descending; of equal ones the last comes first (they are entered from the
    tail of the list that is sorted). Each is laid into the first gap that is wide enough between
    the placed buffers that are alive at the same time, walking up from offset 0.
    """
    aligned = [(-(-size // 16) * 16, first, last) for size, first, last in blocks]
    placed: list[tuple[int, int, int, int]] = []
    for size, first, last in sorted(aligned[::-1], key=lambda b: -b[0]):
        offset = 0
        for other_offset, other_size, other_first, other_last in sorted(placed):
            if other_last < first or other_first > last:
                continue
            if other_offset - offset >= size:
                break
            offset = max(offset, other_offset + other_size)
        placed.append((offset, size, first, last))
    return max((offset + size for offset, size, _, _ in placed), default=0)


def smallest_arena(blocks: list[Block]) -> int:
    """The optimum: every order of laying each block as low as it goes, without any cut."""
    best = sum(-(-size // 16) * 16 for size, _, _ in blocks)
    for order in itertools.permutations(blocks):
        placed: list[tuple[int, int, int, int]] = []
        for size, first, last in order:
            size = -(-size // 16) * 16
            rivals = [p for p in placed if not (p[3] < first or p[2] > last)]
            fits = (
                offset
                for offset in sorted({0, *(o + s for o, s, _, _ in rivals)})
                if all(offset + size <= o or offset >= o + s for o, s, _, _ in rivals)
            )
            placed.append((next(fits), size, first, last))
        best = min(best, max(offset + size for offset, size, _, _ in placed))
    return best


def check_sound(found: MemoryPlan) -> None:
    """No two allocations share a byte in a step; everything is aligned and inside the arena."""
    for a, b in itertools.combinations(found.allocations, 2):
        if a.first <= b.last and b.first <= a.last:
            assert a.offset + a.size_bytes <= b.offset or b.offset + b.size_bytes <= a.offset, (a, b)
    for a in found.allocations:
        assert a.offset % found.alignment == 0 and a.offset >= 0
        assert a.offset + a.size_bytes <= found.arena_bytes
    assert found.lower_bound_bytes <= found.arena_bytes


def spans(steps: int) -> st.SearchStrategy[Block]:
    ends = st.tuples(st.integers(0, steps - 1), st.integers(0, steps - 1)).map(sorted)
    return st.tuples(st.integers(1, 400), ends).map(lambda pair: (pair[0], pair[1][0], pair[1][1]))


@given(st.lists(spans(12), max_size=30))
@settings(deadline=None, max_examples=150)
def test_any_plan_is_sound_and_never_worse_than_tflm(blocks: list[Block]) -> None:
    found = arrange(timeline(blocks))

    check_sound(found)
    assert found.arena_bytes <= tflm_greedy(blocks)


@given(st.lists(spans(5), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_a_small_plan_is_optimal(blocks: list[Block]) -> None:
    assert arrange(timeline(blocks)).arena_bytes == smallest_arena(blocks)


@given(st.lists(spans(12), max_size=30))
@settings(deadline=None, max_examples=30)
def test_equal_lifetimes_give_equal_plans(blocks: list[Block]) -> None:
    assert arrange(timeline(blocks)) == arrange(timeline(blocks))


CASES = {
    "no tensors": ([], 0),
    "one tensor": ([(10, 0, 0)], 16),
    "a chain needs its two largest neighbours": ([(100, 0, 0), (300, 0, 1), (200, 1, 2), (16, 2, 2)], 512),
    "apart in time share": ([(64, 0, 0), (64, 1, 1), (64, 2, 2)], 64),
    "alive in one step do not share": ([(16, 0, 1), (16, 1, 2)], 32),
    "unaligned sizes are rounded up": ([(17, 0, 0), (17, 0, 0)], 64),
}


@pytest.mark.parametrize(("blocks", "arena_bytes"), CASES.values(), ids=CASES.keys())
def test_arena_of_plain_cases(blocks: list[Block], arena_bytes: int) -> None:
    assert arrange(timeline(blocks)).arena_bytes == arena_bytes


# Each was drawn at random: blocks, arena of greedy by size, arena to be found, and by what.
HARD: dict[str, tuple[list[Block], int, int, str]] = {
    "a better order": (
        [
            *((112, 11, 11), (128, 0, 2), (288, 3, 6), (128, 6, 7)),
            *((272, 0, 1), (80, 8, 8), (16, 8, 8), (128, 2, 4)),
        ],
        544,
        416,
        "greedy by",
    ),
    "no order of the greedy ones": (
        [(112, 5, 5), (112, 2, 5), (32, 2, 5), (48, 5, 5), (128, 4, 4), (64, 0, 3)],
        320,
        304,
        "branch and bound",
    ),
    "too many blocks for all orders": (
        [
            *((160, 5, 5), (80, 2, 3), (64, 4, 4), (96, 3, 5), (112, 2, 2), (32, 2, 5), (144, 1, 3)),
            *((128, 2, 3), (16, 4, 4), (96, 0, 0), (128, 1, 2), (160, 1, 4), (176, 3, 3)),
        ],
        832,
        816,
        "local search",
    ),
}


@pytest.mark.parametrize(("blocks", "greedy", "arena_bytes", "method"), HARD.values(), ids=HARD.keys())
def test_the_search_beats_greedy_by_size(blocks: list[Block], greedy: int, arena_bytes: int, method: str) -> None:
    found = arrange(timeline(blocks))

    check_sound(found)
    assert tflm_greedy(blocks) == greedy
    assert found.arena_bytes == found.lower_bound_bytes == arena_bytes
    assert found.method.startswith(method)


def test_the_bound_cannot_always_be_reached() -> None:
    blocks = [(96, 3, 4), (80, 5, 5), (96, 4, 5), (32, 2, 3), (144, 0, 2), (48, 2, 4), (80, 5, 5), (96, 1, 1)]

    found = arrange(timeline(blocks))

    assert (found.arena_bytes, found.lower_bound_bytes) == (smallest_arena(blocks), 256) == (272, 256)


def test_of_equal_sizes_tflm_takes_the_last_first() -> None:
    """Lifetimes of MLPerf Tiny's visual wake words model; its firmware was measured to need what this order needs."""
    blocks = [(27_648, 0, 0), (18_432, 0, 1), (18_432, 1, 2), (36_864, 2, 3), (9_216, 3, 4), (18_432, 4, 5)]

    assert tflm_greedy(blocks) == 73_728
    assert arrange(timeline(blocks)).arena_bytes == 55_296


def test_alignment_is_an_argument() -> None:
    found = arrange(timeline([(5, 0, 0), (5, 0, 0)]), alignment=4)

    assert found.arena_bytes == 16 and found.alignment == 4
    check_sound(found)


def test_live_lists_the_largest_first() -> None:
    found = arrange(timeline([(16, 0, 1), (48, 0, 0), (32, 1, 1)]))

    assert [a.size_bytes for a in found.live(0)] == [48, 16]
    assert (found.peak_step, found.peak_operator, found.lower_bound_bytes) == (0, 0, 64)


def models(folder: Path) -> list[Path]:
    return sorted([*(folder / "tflite").glob("*.tflite"), *(folder / "cortexm").glob("*.tflite")])


@pytest.mark.data
def test_no_model_of_the_corpus_is_planned_worse_than_by_tflm(data: Path) -> None:
    from edgecompile.ir.reader import read

    for path in models(data):
        found = plan(read(path.read_bytes()))

        check_sound(found)
        assert found.arena_bytes <= tflm_greedy([(a.size_bytes, a.first, a.last) for a in found.allocations]), path.name
