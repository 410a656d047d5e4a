"""Operators move to where fewer bytes wait, never in front of what they read, and only where that pays."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.graph import is_ordered
from edgecompile.ir.network import Network, Subgraph
from edgecompile.memory.arena import plan
from edgecompile.optimize import reorder


def branches(in_turn: bool) -> Network:
    """Two branches that widen and narrow again: one after the other, or both at once."""
    net = Net()
    source = net.tensor((1, 4, 4, 2), name="in")
    wide = [net.tensor((1, 4, 4, 40)) for _ in range(2)]
    narrow = [net.tensor((1, 4, 4, 2)) for _ in range(2)]
    steps = [(0, 0), (0, 1), (1, 0), (1, 1)] if in_turn else [(0, 0), (1, 0), (0, 1), (1, 1)]
    for branch, depth in steps:
        ends = (source, wide[branch]) if depth == 0 else (wide[branch], narrow[branch])
        net.conv(*ends, kernel=1)
    out = net.tensor((1, 4, 4, 2), name="out")
    net.op("ADD", narrow, [out], 2, fused_activation_function="NONE")
    return net.network([source], [out], signature=True)


def test_a_branch_is_ended_before_the_next_one_begins(judge: Judge) -> None:
    network = branches(in_turn=False)

    after = rewritten(judge, reorder, network, ["CONV_2D"] * 4 + ["ADD"])

    assert plan(network, 4).arena_bytes == 32 + 2 * 640
    assert plan(after, 4).arena_bytes == 32 + 32 + 640


def test_a_good_order_stays(judge: Judge) -> None:
    untouched(judge, reorder, branches(in_turn=True))


def test_operators_with_an_effect_stay_where_they_are() -> None:
    network = branches(in_turn=False)
    main = network.main
    kept = Net()
    kept.tensors, kept.operators = list(main.tensors), list(main.operators)
    variable = kept.tensor((1, 4, 4, 2), is_variable=True)
    other = kept.tensor((1, 4, 4, 2))
    kept.op("ADD", [variable, main.outputs[0]], [other], 2, fused_activation_function="NONE")
    network = kept.network(list(main.inputs), [other])

    assert reorder.run(network) == (network, [])


def orders(graph: Subgraph, done: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    if len(done) == len(graph.operators):
        yield done
    made = {*graph.inputs, *(i for index in done for i in graph.operators[index].outputs)}
    for index, operator in enumerate(graph.operators):
        if index not in done and made.issuperset(operator.inputs):
            yield from orders(graph, (*done, index))


def worst(graph: Subgraph, order: Sequence[int]) -> int:
    """Live bytes by the letter: a tensor is there from its maker, or the start, to its last reader, or the end."""
    found = 0
    for step in range(len(order)):
        before = {*graph.inputs, *(i for index in order[: step + 1] for i in graph.operators[index].outputs)}
        after = {*graph.outputs, *(i for index in order[step:] for i in graph.operators[index].inputs)}
        making = set(graph.operators[order[step]].outputs)
        found = max(found, sum(graph.tensors[i].size_bytes for i in (before & after) | making))
    return found


@pytest.mark.parametrize("seed", range(25))
def test_the_order_is_the_best_of_all(seed: int) -> None:
    draw = random.Random(seed)
    net = Net()
    made = [net.tensor((draw.randint(1, 60),), name="in")]
    source = made[0]
    for _ in range(draw.randint(3, 7)):
        inputs = draw.sample(made, min(len(made), draw.randint(1, 2)))
        made.append(net.op("CONCATENATION", inputs, [net.tensor((draw.randint(1, 60),))], axis=0))
    network = net.network([source], [made[-1]])

    after, words = reorder.run(network)

    assert is_ordered(after.main)
    assert sorted(o.outputs for o in after.main.operators) == sorted(o.outputs for o in network.main.operators)
    given, least = worst(network.main, range(len(made) - 1)), min(worst(network.main, o) for o in orders(network.main))
    reached = worst(after.main, range(len(made) - 1))
    assert reached <= given
    # What is better as sums but worse where results lie over their inputs is not taken.
    assert reached == least or not words
