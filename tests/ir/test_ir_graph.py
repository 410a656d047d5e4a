"""Producers, consumers and orders of a small graph with a branch, a variable and a dead end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgecompile.ir import graph
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Subgraph


def branching() -> Subgraph:
    """x -> RELU a -> (TANH b, LOGISTIC c) -> ADD y; NEG of a is read by nobody."""
    build = NetworkBuilder()
    x = build.input("x", (4,))
    a, b, c, y, dead = (build.tensor(name, (4,)) for name in ("a", "b", "c", "y", "dead"))
    build.op("RELU", [x], [a])
    build.op("TANH", [a], [b])
    build.op("LOGISTIC", [a], [c])
    build.op("NEG", [a], [dead])
    build.op("ADD", [b, c], [y])
    return build.output(y).subgraph()


def test_producers_and_consumers_are_found() -> None:
    subgraph = branching()

    assert graph.producers_of(subgraph) == {1: 0, 2: 1, 3: 2, 5: 3, 4: 4}
    assert graph.producer_of(subgraph, 3) == 2
    assert graph.producer_of(subgraph, 0) is None
    assert graph.consumers_of(subgraph) == {0: (0,), 1: (1, 2, 3), 2: (4,), 3: (4,), 4: (), 5: ()}


def test_an_operator_that_reads_a_tensor_twice_is_one_consumer_and_a_left_out_input_none() -> None:
    subgraph = branching()
    twice = replace(subgraph, operators=(replace(subgraph.operators[4], inputs=(2, 2, -1)),))

    assert graph.consumers_of(twice)[2] == (0,)


def test_the_sole_consumer_is_none_where_others_or_the_caller_read() -> None:
    subgraph = branching()
    consumers = graph.consumers_of(subgraph)

    assert graph.sole_consumer(subgraph, consumers, 2) == 4
    assert graph.sole_consumer(subgraph, consumers, 1) is None
    assert graph.sole_consumer(replace(subgraph, outputs=(4, 2)), consumers, 2) is None


def test_an_order_is_checked_and_made_with_as_little_change_as_possible() -> None:
    subgraph = branching()
    moved = replace(subgraph, operators=tuple(subgraph.operators[i] for i in (4, 1, 0, 2, 3)))

    assert graph.is_ordered(subgraph)
    assert graph.ordered(subgraph) == (0, 1, 2, 3, 4)
    assert not graph.is_ordered(moved)
    assert graph.ordered(moved) == (2, 1, 3, 0, 4)


def test_operators_in_a_circle_have_no_order() -> None:
    subgraph = branching()
    circle = replace(subgraph, operators=(replace(subgraph.operators[0], inputs=(2,)), *subgraph.operators[1:]))

    assert not graph.is_ordered(circle)
    with pytest.raises(ValueError, match=r"operators \[0, 1, 2, 3, 4\] of `main` wait for each other"):
        graph.ordered(circle)


def test_a_variable_may_be_read_before_it_is_written() -> None:
    build = NetworkBuilder()
    x, state = build.input("x", (4,)), build.tensor("state", (4,), variable=True)
    y = build.tensor("y", (4,))
    build.op("ADD", [x, state], [y])
    build.op("RELU", [y], [state])

    subgraph = build.output(y).subgraph()

    assert graph.is_ordered(subgraph)
    assert graph.ordered(subgraph) == (0, 1)
    assert graph.live_operators(subgraph) == {0, 1}


def test_live_operators_are_those_of_the_outputs_and_those_with_effects() -> None:
    assert graph.live_operators(branching()) == {0, 1, 2, 4}

    build = NetworkBuilder()
    x, y = build.input("x", (4,)), build.tensor("y", (4,))
    build.op("CUSTOM", [x], [y], custom_code="log")
    assert graph.live_operators(build.subgraph()) == {0}
