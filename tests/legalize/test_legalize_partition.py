"""Partitions follow dependencies, as TFLite's delegates cut a graph."""

from __future__ import annotations

import pytest
from small_networks import of_operators, tensor

from edgecompile.core.target import Placement
from edgecompile.ir.network import Operator, Subgraph
from edgecompile.ir.partition import Partition, cut, kept


def graph(*operators: tuple[tuple[int, ...], tuple[int, ...]]) -> Subgraph:
    """Operators from pairs of input and output tensors."""
    count = 1 + max(index for inputs, outputs in operators for index in (*inputs, *outputs))
    made = [Operator(name="ADD", inputs=inputs, outputs=outputs) for inputs, outputs in operators]
    return of_operators([tensor("int8[1]")] * count, made).main


CHAIN = graph(((0,), (1,)), ((1,), (2,)), ((2,), (3,)), ((3,), (4,)))
# Two branches from tensor 0, listed one after the other, and their sum.
BRANCHES = graph(((0,), (1,)), ((1,), (2,)), ((0,), (3,)), ((3,), (4,)), ((2, 4), (5,)))
SKIP = graph(((0,), (1,)), ((1,), (2,)), ((2, 1), (3,)))

CASES = {
    "all in one": (CHAIN, "yyyy", "y0123"),
    "none": (CHAIN, "nnnn", "n0123"),
    "cut in the middle": (CHAIN, "yyny", "y01 n2 y3"),
    "first on the CPU": (CHAIN, "nyyy", "n0 y123"),
    "a branch that needs no CPU operator stays": (BRANCHES, "ynyyy", "y023 n1 y4"),
    "a CPU branch waits until its kind comes": (BRANCHES, "yynny", "y01 n23 y4"),
    "a skip connection waits for both": (SKIP, "yny", "y0 n1 y2"),
}


@pytest.mark.parametrize(("subgraph", "supported", "expected"), CASES.values(), ids=CASES)
def test_partitions_are_those_of_a_delegate(subgraph: Subgraph, supported: str, expected: str) -> None:
    found = cut(subgraph, [letter == "y" for letter in supported])

    assert " ".join("ny"[p.accelerated] + "".join(map(str, p.operators)) for p in found) == expected


def test_an_optional_input_and_a_constant_are_always_there() -> None:
    operator = Operator(name="CONV_2D", inputs=(0, 1, -1), outputs=(2,))
    network = of_operators([tensor("int8[1]"), tensor("int8[1]", 1), tensor("int8[1]")], [operator])

    assert cut(network.main, [True]) == (Partition(accelerated=True, operators=(0,)),)


def test_a_cycle_leaves_its_operators_out_instead_of_running_forever() -> None:
    loop = graph(((1,), (0,)), ((0,), (1,)))

    assert cut(loop, [True, True]) == ()


def parts(*sizes: int) -> list[Partition]:
    return [Partition(accelerated=True, operators=tuple(range(size))) for size in sizes]


@pytest.mark.parametrize(
    ("limit", "keep", "sizes"),
    [(None, "largest", [9, 5, 2, 1]), (3, "largest", [9, 5, 2]), (1, "first", [2]), (2, "first", [2, 5])],
    ids=["no limit", "three largest", "first", "first two"],
)
def test_a_target_keeps_as_many_partitions_as_it_says(limit: int | None, keep: str, sizes: list[int]) -> None:
    found = parts(2, 5, 1, 9)
    cpu = Partition(accelerated=False, operators=(1,))

    chosen = kept([cpu, *found], Placement(accelerator="npu", max_partitions=limit, keep=keep))

    assert [len(partition.operators) for partition in chosen] == sizes
