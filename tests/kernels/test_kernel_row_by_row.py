"""Convolutions whose rows go into a dense layer one by one: exact, in fewer bytes, and only where nobody else reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kernel_board import BOARDS, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.program import compile_network
from edgecompile.kernels.stored import stored_weights
from edgecompile.measure.board.instructions import predict
from edgecompile.memory.program_plan import plan_program
from edgecompile.verify.c_harness import traced

pytestmark = [needs_gcc, pytest.mark.micro]
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
RELU = {"fused_activation_function": "RELU"}


def flattened(
    size: tuple[int, int],
    kernel: tuple[int, int],
    channels: int,
    outputs: int,
    *,
    inputs: int = 1,
    depthwise: bool = False,
    reshape: bool = True,
    seen: bool = False,
    out_zero: int = -128,
    **options: object,
) -> Network:
    """A convolution, SAME, and a dense layer over all of its result; ``seen``: the result is an output as well."""
    draw = np.random.default_rng(sum(size) + channels)
    build = NetworkBuilder()
    x = build.input("x", (1, *size, inputs), "int8", scale=0.05, zero_point=-7)
    shape = (1, *kernel, channels) if depthwise else (channels, *kernel, inputs)
    scales = draw.uniform(0.001, 0.01, channels)
    w = build.constant("w", draw.integers(-127, 128, shape, dtype=np.int8), scale=scales.tolist(), axis=3 * depthwise)
    b = build.constant("b", draw.integers(-999, 999, channels, dtype=np.int32), scale=(0.05 * scales).tolist())
    y = build.tensor("y", (1, *size, channels), "int8", scale=0.1, zero_point=out_zero)
    extra = {"depth_multiplier": channels} if depthwise else {}
    build.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [x, w, b], [y], padding="SAME", **extra, **options)
    count = size[0] * size[1] * channels
    flat = build.tensor("flat", (1, count), "int8", scale=0.1, zero_point=out_zero) if reshape else y
    if reshape:
        build.op("RESHAPE", [y], [flat])
    v = build.constant("v", draw.integers(-127, 128, (outputs, count), dtype=np.int8), scale=[0.004])
    c = build.constant("c", draw.integers(-9999, 9999, outputs, dtype=np.int32), scale=[0.0004])
    z = build.tensor("z", (1, outputs), "int8", scale=0.6, zero_point=3)
    build.op("FULLY_CONNECTED", [flat, v, c], [z])
    return build.output(*((y, z) if seen else (z,))).build()


TOGETHER = {
    "one channel in": flattened((9, 8), (5, 4), 8, 4, **RELU),
    "as depthwise": flattened((9, 8), (5, 4), 8, 4, depthwise=True, **RELU),
    "odd rows": flattened((7, 5), (3, 3), 5, 3, **RELU),
    "three channels in, rounded twice": flattened((6, 7), (3, 3), 9, 2, inputs=3, out_zero=4),
    "without a reshape": flattened((6, 6), (3, 3), 6, 5, reshape=False, **RELU),
    "one output": flattened((8, 6), (3, 5), 4, 1),
}
APART = {
    "a result that is an output": flattened((9, 8), (5, 4), 8, 4, seen=True),
    "a result no larger than the input": flattened((9, 8), (5, 4), 3, 4, inputs=3),
    "channels in fours": flattened((6, 6), (3, 3), 12, 2, inputs=4),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(TOGETHER, tmp_path_factory.mktemp("rows"))


@pytest.mark.parametrize("case", TOGETHER)
def test_rows_into_a_dense_layer_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


@pytest.mark.parametrize("case", TOGETHER)
def test_the_result_takes_no_place_and_the_arena_is_smaller_than_it(case: str) -> None:
    network = TOGETHER[case]
    program = compile_network(network)
    plan = plan_program(network, program)
    result = network.main.operators[0].outputs[0]

    assert result in program.unstored
    assert program.unstored.isdisjoint(plan.offsets)
    calls = [[call.kernel for call in routine.calls] for routine in program.routines]
    assert calls == [[]] * (len(calls) - 1) + [["conv_2d_few_dense_s8"]]
    given, made = network.main.tensors[network.main.inputs[0]], network.main.tensors[network.main.outputs[0]]
    scratch = program.routines[-1].scratch_bytes
    assert plan.plan.arena_bytes <= given.size_bytes + made.size_bytes + scratch + 8
    # Both are alive at the end, on whose places nothing else may lie.
    places = [
        (plan.offsets[network.main.inputs[0]], given.size_bytes),
        (plan.offsets[network.main.outputs[0]], made.size_bytes),
    ]
    (low, size), (high, _) = sorted(places)
    assert low + size <= high


def test_what_has_no_place_is_not_traced_and_its_weights_are_told() -> None:
    network = TOGETHER["one channel in"]
    program = compile_network(network)
    convolution, reshape, dense = (operator.outputs[0] for operator in network.main.operators)

    assert traced(program) == [dense]
    assert program.unstored == {convolution, reshape}
    assert [(one.layer, one.file_bytes) for one in stored_weights(program)] == [("y", 160), ("z", 2304)]


def test_what_takes_rows_is_predicted_as_what_makes_them_and_itself() -> None:
    seen = flattened((9, 8), (5, 4), 8, 4, seen=True, **RELU)

    together, apart = (predict(compile_network(one), "cortex-m4") for one in (TOGETHER["one channel in"], seen))

    assert together is not None and apart is not None
    assert together.by_operator == {2: pytest.approx(sum(apart.by_operator.values()), abs=2)}


@pytest.mark.parametrize("case", APART)
def test_other_results_are_stored(case: str) -> None:
    program = compile_network(APART[case])

    assert program.unstored == frozenset()
    assert "conv_2d_few_dense_s8" not in {call.kernel for routine in program.routines for call in routine.calls}


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_rows_into_a_dense_layer_are_exact_on_the_board(
    answers: dict[str, Answers], board: str, tmp_path: Path
) -> None:
    found = run_on_board(TOGETHER, BOARDS[board], tmp_path)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted
