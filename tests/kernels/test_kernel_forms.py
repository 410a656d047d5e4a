"""Convolutions and dense layers with weights in every form, as C against TensorFlow Lite Micro."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernel_board import BOARDS, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all
from test_kernel_sums import RELU, RELU6, convolution
from test_kernel_weight_forms import weights

from edgecompile.ir.network import Buffer, Network
from edgecompile.kernels.program import compile_network

pytestmark = needs_gcc
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
CONV, DENSE = "CONV_2D", "FULLY_CONNECTED"
FORMS = ("shared4", "shared2", "block2x2", "block2x2_shared4")
VALUES = {"shared4": 16, "shared2": 4, "block2x2": 256, "block2x2_shared4": 16}
SHAPES = {
    "1x1": lambda: convolution(CONV, (1, 5, 5, 8), (6, 1, 1, 8), (1, 5, 5, 6)),
    "1x1 over many turns, odd outputs": lambda: convolution(CONV, (1, 9, 7, 16), (7, 1, 1, 16), (1, 9, 7, 7)),
    "1x1, stride 2": lambda: convolution(CONV, (1, 7, 6, 8), (8, 1, 1, 8), (1, 4, 3, 8), stride_h=2, stride_w=2),
    "3x3 same": lambda: convolution(CONV, (1, 6, 5, 6), (10, 3, 3, 6), (1, 6, 5, 10), padding="SAME"),
    "3x3 valid, odd inputs": lambda: convolution(CONV, (1, 9, 7, 5), (9, 3, 3, 5), (1, 7, 5, 9), padding="VALID"),
    "5x3, three inputs, stride 1x2": lambda: convolution(
        CONV, (1, 9, 8, 3), (8, 5, 3, 3), (1, 9, 4, 8), stride_h=1, stride_w=2, padding="SAME"
    ),
    "dilated": lambda: convolution(
        CONV, (1, 9, 9, 4), (8, 3, 3, 4), (1, 9, 9, 8), dilation_h_factor=2, dilation_w_factor=3, padding="SAME"
    ),
    "a batch": lambda: convolution(CONV, (3, 4, 3, 4), (8, 3, 3, 4), (3, 4, 3, 8), padding="SAME"),
    "one output pixel": lambda: convolution(CONV, (1, 3, 3, 8), (9, 3, 3, 8), (1, 1, 1, 9), padding="VALID"),
    "two output pixels": lambda: convolution(CONV, (1, 3, 4, 8), (9, 3, 3, 8), (1, 1, 2, 9), padding="VALID"),
    "relu6": lambda: convolution(CONV, (1, 4, 4, 8), (8, 1, 1, 8), (1, 4, 4, 8), out_scale=0.04, **RELU6),
    "1x1 on lines, odd outputs": lambda: convolution(
        CONV, (1, 9, 7, 16), (7, 1, 1, 16), (1, 9, 7, 7), out_zero=-128, **RELU
    ),
    "3x3 on lines, six inputs": lambda: convolution(
        CONV, (1, 6, 5, 6), (10, 3, 3, 6), (1, 6, 5, 10), out_zero=-128, padding="SAME", **RELU
    ),
    "multipliers over 1": lambda: convolution(
        CONV, (1, 4, 4, 8), (8, 1, 1, 8), (1, 4, 4, 8), in_scale=4.0, out_scale=0.5, bias_limit=40
    ),
    "dense": lambda: convolution(DENSE, (1, 64), (10, 64), (1, 10)),
    "dense, odd sizes, a batch": lambda: convolution(DENSE, (3, 17), (9, 17), (3, 9)),
}


def with_weights(network: Network, form: str) -> Network:
    """The same network with weights that take a form: few values, half of the blocks 0 and one whole row of them."""
    tensor = network.main.tensors[1]
    kept = 0.5 if form.startswith("block") else 1.0
    codes = weights(tensor.shape, VALUES[form], kept, seed=sum(tensor.shape))
    if kept < 1.0:
        codes[2:4] = 0
    tensors = list(network.main.tensors)
    tensors[1] = replace(tensor, buffer=Buffer(data=codes.tobytes()))
    return replace(network, subgraphs=(replace(network.main, tensors=tuple(tensors)),))


NETWORKS = {f"{form}, {case}": with_weights(make(), form) for case, make in SHAPES.items() for form in FORMS}
CHOSEN = {case: (case.split(",")[0],) for case in NETWORKS}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("forms"), forms=CHOSEN)


@pytest.mark.parametrize("case", NETWORKS)
def test_weights_in_any_form_give_the_reference_s_results(answers: dict[str, Answers], case: str) -> None:
    program = compile_network(NETWORKS[case], forms=CHOSEN[case], goal="size")

    assert program.routines[0].calls[0].kernel.endswith("_forms_s8"), "the case shows nothing: weights are dense"
    assert ("lines" in program.routines[0].calls[0].constants) == ("on lines" in case or "relu6" in case)
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_every_form_is_exact_on_the_board(answers: dict[str, Answers], board: str, tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, BOARDS[board], tmp_path, CHOSEN)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted
