"""Constants laid out for Helium: exact in C on this machine, and in vector instructions on an emulated Cortex-M55."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_board import BOARDS, HELIUM_BOARD, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all
from test_kernel_elements import CASES as ELEMENTS
from test_kernel_moves import CASES as MOVES
from test_kernel_sums import CASES as SUMS
from test_kernel_sums import CONV, DEPTHWISE, RELU6, convolution

from edgecompile.core.target import HELIUM
from edgecompile.ir.network import Network
from edgecompile.kernels.program import compile_network

pytestmark = [needs_gcc, pytest.mark.micro]
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
DENSE = "FULLY_CONNECTED"
RELU = {"fused_activation_function": "RELU"}
# Rows of one chunk, of whole chunks and of parts, of more than one turn of eight; odd channels; each way to gather.
MORE: dict[str, Callable[[], Network]] = {
    "1x1, whole chunks": lambda: convolution(CONV, (1, 5, 5, 32), (6, 1, 1, 32), (1, 5, 5, 6)),
    "1x1, nine chunks and a part": lambda: convolution(CONV, (1, 3, 3, 150), (5, 1, 1, 150), (1, 3, 3, 5)),
    "1x1, stride 2, three pixels": lambda: convolution(
        CONV, (1, 5, 2, 17), (3, 1, 1, 17), (1, 3, 1, 3), stride_h=2, stride_w=2, **RELU
    ),
    "3x3 same, whole chunks, relu": lambda: convolution(
        CONV, (1, 6, 7, 16), (7, 3, 3, 16), (1, 6, 7, 7), out_zero=-128, padding="SAME", **RELU
    ),
    "3x3 same, whole chunks, dilated": lambda: convolution(
        CONV, (1, 7, 8, 16), (4, 3, 3, 16), (1, 7, 8, 4), dilation_h_factor=2, dilation_w_factor=3, padding="SAME"
    ),
    "3x3 same, twenty inputs": lambda: convolution(CONV, (1, 5, 4, 20), (4, 3, 3, 20), (1, 5, 4, 4), padding="SAME"),
    "10x4, one input": lambda: convolution(
        CONV, (1, 21, 6, 1), (8, 10, 4, 1), (1, 11, 3, 8), stride_h=2, stride_w=2, padding="SAME", **RELU6
    ),
    "3x3 of long rows, three inputs, stride 2": lambda: convolution(
        CONV, (1, 7, 96, 3), (4, 3, 3, 3), (1, 4, 48, 4), stride_h=2, stride_w=2, padding="SAME"
    ),
    "a kernel over all inputs": lambda: convolution(CONV, (1, 3, 2, 3), (4, 5, 7, 3), (1, 3, 2, 4), padding="SAME"),
    "weights that do not pair": lambda: convolution(CONV, (1, 4, 4, 8), (4, 1, 1, 8), (1, 4, 4, 4), kind="lowest"),
    "many extreme weights": lambda: convolution(CONV, (1, 2, 2, 800), (4, 1, 1, 800), (1, 2, 2, 4), kind="extreme"),
    "one output channel": lambda: convolution(CONV, (1, 4, 4, 8), (1, 1, 1, 8), (1, 4, 4, 1)),
    "depthwise 10x8 of one channel": lambda: convolution(
        DEPTHWISE, (1, 13, 10, 1), (1, 10, 8, 8), (1, 7, 5, 8), depth_multiplier=8, stride_h=2, stride_w=2,
        padding="SAME", out_zero=-128, **RELU,
    ),
    "depthwise 3x3, wide": lambda: convolution(
        DEPTHWISE, (1, 6, 25, 3), (1, 3, 3, 3), (1, 6, 25, 3), padding="SAME", out_zero=-128, **RELU6
    ),
    "depthwise 3x3, stride 2, wide": lambda: convolution(
        DEPTHWISE, (1, 9, 23, 3), (1, 3, 3, 3), (1, 5, 12, 3), stride_h=2, stride_w=2, padding="SAME"
    ),
    "depthwise 3x3, one channel, multiplier 8": lambda: convolution(
        DEPTHWISE, (1, 9, 20, 1), (1, 3, 3, 8), (1, 5, 10, 8), depth_multiplier=8, stride_h=2, stride_w=2,
        padding="SAME",
    ),
    "dense, many inputs": lambda: convolution(DENSE, (1, 700), (9, 700), (1, 9), kind="extreme", per_channel=False),
    "dense of a batch, relu": lambda: convolution(
        DENSE, (3, 40), (6, 40), (3, 6), out_zero=-128, **RELU
    ),
}  # fmt: skip
KINDS = ("add", "sub", "average pooling", "max pooling")
OTHERS = {case: make for case, make in {**ELEMENTS, **MOVES}.items() if case.startswith(KINDS)}
NETWORKS = {case: make() for case, make in {**SUMS, **MORE, **OTHERS}.items()}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("helium"), kernels=HELIUM)


@pytest.mark.parametrize("case", NETWORKS)
def test_sums_laid_out_for_helium_equal_the_reference_in_plain_c(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert case in OTHERS or len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_sums_are_exact_with_vector_instructions(answers: dict[str, Answers], tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, HELIUM_BOARD, tmp_path, kernels=HELIUM)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_what_is_laid_out_for_helium_is_exact_on_a_core_without_it(answers: dict[str, Answers], tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, BOARDS["m4, dsp"], tmp_path, kernels=HELIUM)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted


def test_only_cores_with_helium_get_its_layout() -> None:
    network = MORE["1x1, whole chunks"]()

    assert compile_network(network).routines[0].calls[0].kernel == "conv_2d_1x1_s8"
    assert compile_network(network, kernels=HELIUM).routines[0].calls[0].kernel == "conv_2d_dot_s8"
