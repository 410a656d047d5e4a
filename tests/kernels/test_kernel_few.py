"""Convolutions of few input channels: each way to gather, here and on emulated cores, against the reference."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_board import BOARDS, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all
from test_kernel_sums import CONV, DEPTHWISE, RELU6, convolution

from edgecompile.ir.network import Network
from edgecompile.kernels.conv_2d_few_s8 import order
from edgecompile.kernels.program import compile_network

pytestmark = [needs_gcc, pytest.mark.micro]
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
SAME = {"padding": "SAME"}
TWO = {"stride_h": 2, "stride_w": 2, "padding": "SAME"}
RELU = {"fused_activation_function": "RELU"}
# Runs of less than four bytes, of whole fours and of more; windows over each border and over two; one to five channels.
CASES: dict[str, Callable[[], Network]] = {
    "3x3 of three": lambda: convolution(CONV, (1, 9, 12, 3), (8, 3, 3, 3), (1, 5, 6, 8), **TWO),
    "3x3 of three, relu": lambda: convolution(
        CONV, (1, 9, 12, 3), (8, 3, 3, 3), (1, 9, 12, 8), out_zero=-128, **SAME, **RELU
    ),
    "3x3 of one, odd pixels": lambda: convolution(CONV, (1, 5, 5, 1), (3, 3, 3, 1), (1, 5, 5, 3), **SAME),
    "10x4 of one, odd pixels": lambda: convolution(CONV, (1, 21, 10, 1), (6, 10, 4, 1), (1, 11, 5, 6), **TWO),
    "10x8 of one as depthwise": lambda: convolution(
        DEPTHWISE, (1, 25, 20, 1), (1, 10, 8, 8), (1, 13, 10, 8), depth_multiplier=8, out_zero=-128, **TWO, **RELU
    ),
    "depthwise to one channel": lambda: convolution(DEPTHWISE, (1, 9, 9, 1), (1, 5, 5, 1), (1, 9, 9, 1), **SAME),
    "a kernel over all inputs": lambda: convolution(CONV, (1, 3, 2, 3), (4, 5, 7, 3), (1, 3, 2, 4), **SAME),
    "rows of two bytes": lambda: convolution(CONV, (1, 6, 2, 1), (5, 3, 5, 1), (1, 6, 2, 5), **SAME),
    "rows of four bytes": lambda: convolution(CONV, (1, 6, 4, 1), (4, 3, 7, 1), (1, 6, 4, 4), **SAME),
    "two channels, 5x5": lambda: convolution(CONV, (1, 8, 7, 2), (5, 5, 5, 2), (1, 8, 7, 5), **SAME),
    "five channels, 1x1": lambda: convolution(CONV, (1, 7, 9, 5), (7, 1, 1, 5), (1, 4, 5, 7), **TWO),
    "six channels, 3x3": lambda: convolution(CONV, (1, 5, 6, 6), (4, 3, 3, 6), (1, 5, 6, 4), **SAME),
    "dilated rows": lambda: convolution(
        CONV, (1, 9, 9, 3), (4, 3, 3, 3), (1, 9, 9, 4), dilation_h_factor=3, dilation_w_factor=1, **SAME
    ),
    "dilated both ways, five channels": lambda: convolution(
        CONV, (1, 9, 11, 5), (4, 3, 3, 5), (1, 9, 11, 4), dilation_h_factor=2, dilation_w_factor=3, **SAME
    ),
    "a dilated window larger than the input": lambda: convolution(
        CONV, (1, 2, 7, 3), (4, 3, 3, 3), (1, 2, 7, 4), dilation_h_factor=3, dilation_w_factor=4, **SAME
    ),
    "valid, stride 3": lambda: convolution(
        CONV, (1, 11, 13, 3), (4, 3, 4, 3), (1, 3, 4, 4), stride_h=3, stride_w=3, padding="VALID"
    ),
    "a batch": lambda: convolution(CONV, (3, 5, 4, 3), (4, 3, 3, 3), (3, 5, 4, 4), **SAME),
    "one pixel": lambda: convolution(CONV, (1, 3, 3, 3), (9, 3, 3, 3), (1, 1, 1, 9), padding="VALID"),
    "one channel out": lambda: convolution(CONV, (1, 4, 6, 3), (1, 3, 3, 3), (1, 4, 6, 1), **SAME),
    "relu6 inside the range": lambda: convolution(
        CONV, (1, 6, 6, 3), (6, 3, 3, 3), (1, 6, 6, 6), out_scale=0.04, **SAME, **RELU6
    ),
    "extreme weights": lambda: convolution(CONV, (1, 6, 6, 3), (8, 3, 3, 3), (1, 6, 6, 8), kind="extreme", **SAME),
    "dead channels of any scale": lambda: convolution(
        CONV, (1, 6, 6, 3), (9, 3, 3, 3), (1, 6, 6, 9), kind="dead", **SAME
    ),
    "multipliers over 1": lambda: convolution(
        CONV, (1, 4, 4, 3), (6, 1, 2, 3), (1, 4, 3, 6), kind="small", in_scale=4.0, out_scale=0.02, bias_limit=40
    ),
    "lowest zero points": lambda: convolution(
        CONV, (1, 6, 6, 3), (6, 3, 3, 3), (1, 6, 6, 6), in_zero=-128, out_zero=-128, **SAME
    ),
    "highest zero points": lambda: convolution(
        CONV, (1, 6, 6, 3), (6, 3, 3, 3), (1, 6, 6, 6), in_zero=127, out_zero=127, **SAME
    ),
}
NETWORKS = {case: make() for case, make in CASES.items()}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("few"))


@pytest.mark.parametrize("case", CASES)
def test_few_channels_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    used = {call.kernel for routine in compile_network(NETWORKS[case]).routines for call in routine.calls}

    assert used == {"conv_2d_few_s8"}
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_few_channels_are_exact_on_the_board(answers: dict[str, Answers], board: str, tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, BOARDS[board], tmp_path)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted


def test_runs_are_gathered_in_fours_and_what_they_have_left_behind() -> None:
    assert order(14, 7).tolist() == [0, 1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11, 12, 13]
    assert order(6, 3).tolist() == [0, 1, 2, 3, 4, 5]
