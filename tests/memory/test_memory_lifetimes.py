"""Lifetimes: first writer to last reader, and what must live longer."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.ir.network import Buffer, Network, Operator, Subgraph, Tensor
from edgecompile.memory.arena import plan
from edgecompile.memory.lifetimes import timeline_of


def tensor(name: str, **fields: Any) -> Tensor:
    return Tensor(**{"name": name, "shape": (1, 16), "dtype": "int8", **fields})


def graph(
    tensors: list[Tensor],
    operators: list[tuple[str, tuple[int, ...], tuple[int, ...]] | Operator],
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
) -> Subgraph:
    made = [o if isinstance(o, Operator) else Operator(name=o[0], inputs=o[1], outputs=o[2]) for o in operators]
    return Subgraph(name="main", tensors=tuple(tensors), operators=tuple(made), inputs=inputs, outputs=outputs)


def spans(network: Network) -> dict[str, tuple[int, int]]:
    return {life.name: (life.first, life.last) for life in timeline_of(network).lifetimes}


CHAIN = [("RELU", (0,), (1,)), ("RELU", (1,), (2,)), ("RELU", (2,), (3,))]
ABCD = [tensor(name) for name in "abcd"]
CASES: dict[str, tuple[Subgraph, dict[str, tuple[int, int]]]] = {
    "a chain": (graph(ABCD, CHAIN, (0,), (3,)), {"a": (0, 0), "b": (0, 1), "c": (1, 2), "d": (2, 2)}),
    "a skip connection lives to its last reader": (
        graph(ABCD, [*CHAIN[:2], ("ADD", (2, 0), (3,))], (0,), (3,)),
        {"a": (0, 2), "b": (0, 1), "c": (1, 2), "d": (2, 2)},
    ),
    "an input is filled before the first step": (
        graph(ABCD, [*CHAIN[:2], ("ADD", (2, 3), (3,))], (0, 3), (2,)),
        {"a": (0, 0), "b": (0, 1), "c": (1, 2), "d": (0, 2)},
    ),
    "an output is read after the last step": (
        graph(ABCD, CHAIN, (0,), (1, 3)),
        {"a": (0, 0), "b": (0, 2), "c": (1, 2), "d": (2, 2)},
    ),
    "what nobody reads lives while it is written": (
        graph(ABCD, [("SPLIT", (0,), (1, 3)), ("RELU", (1,), (2,))], (0,), (2,)),
        {"a": (0, 0), "b": (0, 1), "c": (1, 1), "d": (0, 0)},
    ),
    "a variable lives always": (
        graph(
            [*ABCD[:3], tensor("state", is_variable=True)],
            [("RELU", (0,), (1,)), ("SVDF", (1, 3), (2,)), ("RELU", (2,), (0,))],
            (0,),
            (2,),
        ),
        {"a": (0, 2), "b": (0, 1), "c": (1, 2), "state": (0, 2)},
    ),
    "constants, strings and left-out inputs take no room": (
        graph(
            [ABCD[0], tensor("w", buffer=Buffer(bytes(16))), tensor("text", dtype="string"), ABCD[3]],
            [("FULLY_CONNECTED", (0, 1, -1), (3,)), ("CUSTOM", (2,), (2,))],
            (0,),
            (3,),
        ),
        {"a": (0, 0), "d": (0, 1)},
    ),
    "an input that is an output, and no operators": (graph(ABCD[:1], [], (0,), (0,)), {"a": (0, 0)}),
}


@pytest.mark.parametrize(("subgraph", "expected"), CASES.values(), ids=CASES.keys())
def test_lifetimes_of_one_subgraph(subgraph: Subgraph, expected: dict[str, tuple[int, int]]) -> None:
    assert spans(Network(subgraphs=(subgraph,))) == expected


def loop(callers: int = 1) -> Network:
    """``main`` runs WHILE ``callers`` times; ``cond`` and ``body`` have two operators each."""
    call = {"cond_subgraph_index": 1, "body_subgraph_index": 2}
    names = ["x", *(f"y{turn}" for turn in range(callers))]
    whiles = [Operator(name="WHILE", inputs=(turn,), outputs=(turn + 1,), options=call) for turn in range(callers)]
    main = graph([tensor(name) for name in names], [*whiles], (0,), (callers,))
    cond = graph([tensor(f"cond_{n}") for n in "abc"], [("RELU", (0,), (1,)), ("LESS", (1,), (2,))], (0,), (2,))
    body = graph([tensor(f"body_{n}") for n in "abc"], [("RELU", (0,), (1,)), ("RELU", (1,), (2,))], (0,), (2,))
    return Network(subgraphs=(main, cond, body))


def test_a_called_subgraph_runs_inside_its_caller() -> None:
    timeline = timeline_of(loop())

    assert [(step.subgraph, step.operator) for step in timeline.steps] == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert spans(loop()) == {
        **{"x": (0, 4), "y0": (0, 4)},
        **{"cond_a": (0, 4), "cond_b": (1, 2), "cond_c": (0, 4)},
        **{"body_a": (0, 4), "body_b": (3, 4), "body_c": (0, 4)},
    }


def test_a_subgraph_called_twice_keeps_its_tensors_between_the_calls() -> None:
    found = spans(loop(callers=2))

    assert found["cond_b"] == (1, 5) and found["body_b"] == (3, 5)
    assert found["y0"] == (0, 5) and found["y1"] == (5, 5)


def test_a_subgraph_that_calls_itself_is_laid_out_once() -> None:
    call = Operator(name="CALL_ONCE", inputs=(), outputs=(), options={"init_subgraph_index": 0})
    network = Network(subgraphs=(graph(ABCD, [*CHAIN, call], (0,), (3,)),))

    assert len(timeline_of(network).steps) == 4


@pytest.mark.parametrize("index", [7, -1, None, "1"])
def test_a_call_of_a_subgraph_that_is_not_there_is_no_step(index: Any) -> None:
    call = Operator(name="CALL_ONCE", inputs=(), outputs=(), options={"init_subgraph_index": index})
    network = Network(subgraphs=(graph(ABCD, [*CHAIN, call], (0,), (3,)),))

    assert len(timeline_of(network).steps) == 4


def test_subgraphs_that_main_never_reaches_are_not_counted() -> None:
    alone = Network(subgraphs=(loop().subgraphs[1], *loop().subgraphs))

    assert {life.subgraph for life in timeline_of(alone).lifetimes} == {0}


def test_packed_int4_counts_half_a_byte() -> None:
    network = Network(subgraphs=(graph([tensor("a", dtype="int4", shape=(1, 65))], [], (0,), (0,)),))

    assert [life.size_bytes for life in timeline_of(network).lifetimes] == [33]
    assert plan(network).arena_bytes == 48
