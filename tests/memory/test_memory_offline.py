"""TensorFlow Lite Micro itself: needs what our account of its planner says, and takes our plan instead."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from memory_micro import Micro
from test_memory_arena import models, tflm_greedy

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Buffer, Network, Operator
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.memory.arena import plan
from edgecompile.memory.offline import NAME, attach

needs_micro = pytest.mark.skipif(importlib.util.find_spec("tflite_micro") is None, reason="needs pip: tflite-micro")


@pytest.fixture(scope="module")
def micro() -> Iterator[Micro]:
    found = Micro()
    yield found
    found.close()


def hourglass() -> Network:
    """Sizes of the first layers of a MobileNet on 96 x 96 x 3, of operators that move bytes only."""
    build = NetworkBuilder()
    values = build.input("in", (27_648,), "int8", scale=0.1)

    def part(name: str, source: int, size: int) -> int:
        begin, length = build.constant(f"{name}/begin", np.int32([0])), build.constant(f"{name}/size", np.int32([size]))
        return build.op("SLICE", [source, begin, length], [build.tensor(name, (size,), "int8", scale=0.1)])

    def twice(name: str, source: int, size: int) -> int:
        return build.op("CONCATENATION", [source, source], [build.tensor(name, (size,), "int8", scale=0.1)], axis=0)

    first = part("first", values, 18_432)
    second = build.op("RELU", [first], [build.tensor("second", (18_432,), "int8", scale=0.1)])
    wide = twice("wide", second, 36_864)
    return build.output(twice("out", part("narrow", wide, 9_216), 18_432)).build()


@needs_micro
def test_micro_needs_less_with_our_plan_and_answers_the_same(micro: Micro) -> None:
    network = hourglass()
    found = plan(network)

    alone = micro.lay_out(write(network))
    planned = micro.lay_out(write(attach(network)))

    assert alone is not None and planned is not None
    assert (alone[0], planned[0]) == (73_728, found.arena_bytes) == (73_728, 55_296)
    assert alone[1] == planned[1]


def test_a_plan_lists_every_tensor() -> None:
    network = hourglass()

    data = np.frombuffer(attach(network).metadata[NAME].data, dtype="<i4")

    offsets = {a.tensor: a.offset for a in plan(network).allocations}
    assert data[:3].tolist() == [1, 0, len(network.main.tensors)]
    assert data[3:].tolist() == [offsets.get(index, -1) for index in range(len(network.main.tensors))]


def test_a_plan_that_the_model_brings_along_stays() -> None:
    network = replace(hourglass(), metadata={NAME: Buffer(b"theirs")})

    assert attach(network) is network


def test_several_subgraphs_are_left_to_the_interpreter() -> None:
    network = hourglass()
    double = replace(network, subgraphs=network.subgraphs * 2)

    assert attach(double) is double


def test_where_the_interpreter_needs_no_more_nothing_is_attached() -> None:
    build = NetworkBuilder()
    source, result = build.input("in", (16,), "int8", scale=0.1), build.tensor("out", (16,), "int8", scale=0.1)
    build.op("RELU", [source], [result])
    network = build.output(result).build()

    assert attach(network) is network


def test_custom_operators_are_left_to_the_interpreter() -> None:
    network = hourglass()
    operators = (*network.main.operators, Operator(name="CUSTOM", inputs=(), outputs=(), custom_code="Log"))
    custom = replace(network, subgraphs=(replace(network.main, operators=operators),))

    assert attach(custom) is custom


# Models whose kernels ask for scratch memory, which shares the arena with the tensors and is not in our lifetimes.
SCRATCH = ("transpose_conv4", "trained_lstm", "keyword_scrambled_8bit")


@needs_micro
@pytest.mark.data
def test_micro_needs_what_its_planner_is_said_to_and_never_more_with_ours(data: Path, micro: Micro) -> None:
    saved = {}
    for path in models(data):
        network = read(path.read_bytes())
        alone = micro.lay_out(write(network))
        if alone is None or NAME in network.metadata:
            continue
        states = [index for index, tensor in enumerate(network.main.tensors) if tensor.is_variable]
        tensors = [(a.size_bytes, a.first, a.last) for a in plan(network).allocations if a.tensor not in states]
        if not any(name in path.name for name in SCRATCH):
            assert alone[0] == tflm_greedy(tensors), path.name
        planned = micro.lay_out(write(attach(network)))
        assert planned is not None and planned[0] <= alone[0] and planned[1] == alone[1], path.name
        if planned[0] < alone[0]:
            saved[path.name.split("__")[-1]] = (alone[0], planned[0])

    assert saved == {"vww_96_float.tflite": (294_912, 221_184), "vww_96_int8.tflite": (73_728, 55_296)}
