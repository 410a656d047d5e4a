"""Operators that remember, run many times without a reset, as C against TensorFlow Lite Micro."""

from __future__ import annotations

import copy
import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network, Quantization
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.kernels.lstm import TWO_ANSWERS
from edgecompile.kernels.program import compile_network
from edgecompile.libs.litert_engines import MicroEngine

pytestmark = needs_gcc
# TensorFlow 2.20 rounds once where tflite-micro rounds twice: one step in the values of this network.
ROUNDINGS = 1


def filters(state: str, batches: int, inputs: int, units: int, rank: int, memory: int, zero: int = 0) -> Make:
    rows, kept = units * rank, 0.06 if state == "int8" else 0.0004
    tensors = [
        T((batches, inputs), "int8", 0.05, -9),
        T((rows, inputs), "int8", 0.01, values="noise"),
        T((rows, memory), state, 0.008, values="noise", limit=127 if state == "int8" else 9000),
        T((units,), "int32", kept * 0.008, values="noise", limit=20000),
        T((batches, rows * memory), state, kept, zero, variable=True),
    ]
    scale = 0.1 if state == "int8" else 2.0
    return one("SVDF", tensors, [T((batches, units), "int8", scale, 5)], rank=rank, fused_activation_function="RELU")


def lstm(
    real: bool,
    batches: int,
    steps: int,
    inputs: int,
    units: int,
    cell: float = 2.0**-11,
    major: bool = False,
    clip: float = 0.0,
) -> Make:
    shape, after = ((steps, batches), (steps, batches)) if major else ((batches, steps), (batches, steps))
    dtype = "float32" if real else "int8"

    def weights(columns: int, scale: float) -> T:
        return T((units, columns), dtype, None if real else scale, values="noise")

    def bias() -> T:
        return (
            T((units,), "float32", values="noise") if real else T((units,), "int32", 1e-4, values="noise", limit=9000)
        )

    ins = [weights(inputs, scale) for scale in (0.004, 0.006, 0.008, 0.005)]
    past = [weights(units, scale) for scale in (0.003, 0.007, 0.002, 0.009)]
    hidden = T((batches, units), dtype, None if real else 1 / 128, 0 if real else 3, variable=True)
    kept = T((batches, units), "float32" if real else "int16", None if real else cell, variable=True)
    given = T((*shape, inputs), dtype, None if real else 0.03, 0 if real else -7)
    tensors = [given, *ins, *past, None, None, None, bias(), bias(), bias(), bias(), None, None, hidden, kept]
    return one(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [*tensors, None, None, None, None],
        [T((*after, units), dtype, None if real else 1 / 128, 0 if real else 3)],
        fused_activation_function="TANH",
        time_major=major,
        cell_clip=clip,
    )


def stream(begin: bool, dtype: str = "int8", twice: bool = False) -> Make:
    """The last eight values of a stream: what is remembered is read, moved on by the input, and kept again."""
    scale = {"scale": 0.1, "zero_point": -3} if dtype == "int8" else {}

    def named(build: NetworkBuilder, name: str) -> int:
        handle = build.tensor(name, (), "resource")
        return build.op("VAR_HANDLE", [], [handle], container="", shared_name="ring")

    def make() -> Network:
        build = NetworkBuilder()
        x = build.input("x", (1, 3), dtype, **scale)
        if begin:
            build.op("CALL_ONCE", [], [], init_subgraph_index=1)
        handle = named(build, "ring")
        old = build.op("READ_VARIABLE", [handle], [build.tensor("old", (1, 8), dtype, **scale)])
        place, size = build.constant("at", np.array([0, 3], np.int32)), build.constant("n", np.array([1, 5], np.int32))
        kept = build.op("SLICE", [old, place, size], [build.tensor("kept", (1, 5), dtype, **scale)])
        new = build.op("CONCATENATION", [kept, x], [build.tensor("new", (1, 8), dtype, **scale)], axis=1)
        build.op("ASSIGN_VARIABLE", [named(build, "again") if twice else handle, new], [])
        now = build.op("READ_VARIABLE", [handle], [build.tensor("now", (1, 8), dtype, **scale)])
        main = build.output(old, now).subgraph()
        if not begin:
            return Network(subgraphs=(main,))
        first = NetworkBuilder("begin")
        values = np.arange(8).reshape(1, 8).astype(dtype)
        first.op("ASSIGN_VARIABLE", [named(first, "ring"), first.constant("v", values, dtype, **scale)], [])
        return Network(subgraphs=(main, first.subgraph()))

    return make


CASES: dict[str, Make] = {
    "variable": stream(False),
    "variable that begins with values": stream(True),
    "variable, float32, two handles": stream(True, "float32", twice=True),
    "filters, int16": filters("int16", 1, 7, 4, 1, 5),
    "filters of rank 2, int16": filters("int16", 2, 5, 3, 2, 6),
    "filters, int8": filters("int8", 1, 7, 4, 1, 5),
    "filters, int8, zero point": filters("int8", 2, 6, 3, 2, 4, 11),
    "lstm, int8": lstm(False, 1, 5, 6, 7),
    "lstm of a batch, int8": lstm(False, 3, 4, 5, 4),
    "lstm, time first, int8": lstm(False, 3, 4, 5, 4, major=True),
    "lstm, fine cell, int8": lstm(False, 1, 3, 4, 5, 2.0**-14),
    "lstm, coarse cell, int8": lstm(False, 1, 3, 4, 5, 2.0**-9),
    "lstm, clipped cell, int8": lstm(False, 1, 6, 4, 5, clip=0.5),
    "lstm, float32": lstm(True, 1, 5, 6, 7),
    "lstm of a batch, float32": lstm(True, 3, 4, 5, 4, clip=0.7),
    "lstm, time first, float32": lstm(True, 3, 4, 5, 4, major=True),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("states")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_states_are_carried_on_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    micro = answers[case].micro[0]
    assert len(np.unique(micro)) > 2, "the case shows nothing: outputs hardly differ"


def _with_hidden_value(scale: float, zero_point: int) -> bytes:
    """A file of an LSTM whose state has scale 1/128 and zero point 3, with the five inner tensors of TensorFlow's."""
    network = read(write(lstm(False, 1, 5, 6, 7)()), "lstm")
    main = network.main
    (operator,), state = main.operators, main.tensors[main.operators[0].inputs[18]]
    quantization = Quantization(scales=(scale,), zero_points=(zero_point,))
    inner = [
        replace(state, name=f"inner{i}", shape=(0,), is_variable=False, quantization=quantization) for i in range(5)
    ]
    raw = copy.copy(operator.raw)
    raw.intermediates = np.arange(len(main.tensors), len(main.tensors) + 5, dtype=np.int32)
    main = replace(main, tensors=(*main.tensors, *inner), operators=(replace(operator, raw=raw),))
    return write(replace(network, subgraphs=(main,)))


def _lite(content: bytes, x: np.ndarray) -> np.ndarray:
    lite = importlib.import_module("tensorflow").lite
    kind = lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = lite.Interpreter(model_content=content, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


@pytest.mark.tensorflow
@pytest.mark.micro
@pytest.mark.parametrize(
    ("scale", "zero_point"),
    [
        pytest.param(1 / 128, 3, id="same"),
        pytest.param(1 / 64, 3, id="other-scale"),
        pytest.param(1 / 128, -20, id="other-zero-point"),
    ],
)
def test_an_lstm_is_refused_where_the_two_references_differ_on_it(scale: float, zero_point: int) -> None:
    content = _with_hidden_value(scale, zero_point)
    x = np.random.RandomState(0).randint(-128, 128, (1, 5, 6)).astype(np.int8)
    micro = MicroEngine(content, "lstm")
    micro.set(0, x)
    micro.invoke()

    refusals = compile_network(read(content, "lstm")).refusals

    steps = np.abs(np.asarray(micro.get(0), np.int32) - _lite(content, x)).max()
    differ = bool(steps > ROUNDINGS)
    assert [refusal.reason for refusal in refusals] == [TWO_ANSWERS] * differ
    assert differ == ((scale, zero_point) != (1 / 128, 3))


def test_what_is_called_once_and_is_more_than_constants_is_refused() -> None:
    network = stream(True)()
    begin = network.subgraphs[1]
    operators = (begin.operators[0], replace(begin.operators[1], inputs=(begin.operators[1].inputs[0], 0)))
    network = replace(network, subgraphs=(network.main, replace(begin, operators=operators)))

    refusals = compile_network(network).refusals

    assert [refusal.reason for refusal in refusals] == [
        "a subgraph called once that does more than assign constants (ASSIGN_VARIABLE)"
    ]


def test_a_subgraph_that_nobody_calls_once_is_refused() -> None:
    network = stream(False)()

    refusals = compile_network(replace(network, subgraphs=(network.main, network.main))).refusals

    assert [refusal.reason for refusal in refusals] == ["more than one subgraph"]
