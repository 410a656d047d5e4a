"""Operators that remember, run many times without a reset, as C against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one
from kernel_run import Answers, assert_equal, needs_gcc, run_all

pytestmark = needs_gcc


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


CASES: dict[str, Make] = {
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
