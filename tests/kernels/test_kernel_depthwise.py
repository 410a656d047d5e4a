"""Depthwise convolutions of many widths and sizes, here and on emulated cores, against the reference."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from kernel_board import BOARDS, HELIUM_BOARD, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all
from test_kernel_sums import DEPTHWISE, RELU6, convolution

from edgecompile.core.target import HELIUM
from edgecompile.ir.network import Network
from edgecompile.kernels import convolution as convolution_twins
from edgecompile.kernels.program import compile_network

pytestmark = [needs_gcc, pytest.mark.micro]
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
RELU = {"fused_activation_function": "RELU"}
# Ends of a row of fours: none, two, three, five; rows without fours; rows that are spread one by one and all at once.
WIDTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 13)


def depthwise(
    width: int,
    stride: int,
    *,
    kernel: tuple[int, int] = (3, 3),
    padding: str = "SAME",
    channels: int = 3,
    multiplier: int = 1,
    batches: int = 1,
    **more,
) -> Network:
    inside = width * stride if padding == "SAME" else (width - 1) * stride + kernel[1]
    height = 3 * stride if padding == "SAME" else 2 * stride + kernel[0]
    return convolution(
        DEPTHWISE,
        (batches, height, inside, channels),
        (1, *kernel, channels * multiplier),
        (batches, 3, width, channels * multiplier),
        stride_h=stride,
        stride_w=stride,
        depth_multiplier=multiplier,
        padding=padding,
        **more,
    )


FLAT = {"out_scale": 0.5, "bias_limit": 1 << 17, "channels": 6, "out_zero": -128, **RELU}
LINES = {"out_zero": -128, **RELU}
NETWORKS = {
    **{f"{w} wide, stride {s}, on lines": depthwise(w, s, **LINES) for w in WIDTHS for s in (1, 2)},
    **{f"{w} wide, stride {s}, rounded twice": depthwise(w, s) for w in WIDTHS for s in (1, 2)},
    "valid, on lines": depthwise(7, 1, padding="VALID", **LINES),
    "valid, stride 2, on lines": depthwise(5, 2, padding="VALID", **LINES),
    "stride 3": depthwise(4, 3, **LINES),
    "two outputs an input": depthwise(5, 1, multiplier=2, **LINES),
    "a batch": depthwise(6, 2, batches=2, **LINES),
    "cut inside the range": depthwise(6, 1, out_scale=0.03, **RELU6),
    "steep lines": depthwise(6, 1, out_scale=0.002, **LINES),
    **{f"5x5, {w} wide, stride {s}": depthwise(w, s, kernel=(5, 5), **LINES) for w in (2, 4, 7) for s in (1, 2, 3)},
    "5x5, rounded twice": depthwise(9, 1, kernel=(5, 5)),
    "2x4, two outputs an input": depthwise(5, 2, kernel=(2, 4), multiplier=2, **LINES),
    "7x3, valid": depthwise(5, 1, kernel=(7, 3), padding="VALID", **LINES),
    "1x9, one row": depthwise(6, 1, kernel=(1, 9), **LINES),
    "9x1": depthwise(6, 1, kernel=(9, 1), **LINES),
    "4x4 dilated down": depthwise(6, 1, kernel=(4, 4), dilation_h_factor=2, **LINES),
    "3x3 dilated down": depthwise(6, 1, dilation_h_factor=2, **LINES),
    "5x5 dilated": depthwise(6, 1, kernel=(5, 5), dilation_h_factor=2, dilation_w_factor=2, **LINES),
    "3x3, multipliers over 1": depthwise(6, 1, kind="small", in_scale=4.0, out_scale=0.02, bias_limit=40),
    "5x5, multipliers over 1": depthwise(
        6, 1, kernel=(5, 5), kind="small", in_scale=4.0, out_scale=0.02, bias_limit=40
    ),
    "lowest weights": depthwise(6, 1, kind="lowest", **LINES),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("depthwise"))


@pytest.mark.parametrize("case", NETWORKS)
def test_depthwise_layers_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


def test_layers_are_scaled_as_their_names_say() -> None:
    shifts = {case: compile_network(net).routines[0].calls[0].settings["line_shift"] for case, net in NETWORKS.items()}

    assert all(shift != 0 for case, shift in shifts.items() if "on lines" in case)
    assert all(shift == 0 for case, shift in shifts.items() if "rounded twice" in case)
    assert set(shifts.values()) == {0, 9, 12}


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
@pytest.mark.parametrize("board", BOARDS)
def test_depthwise_layers_are_exact_on_the_board(answers: dict[str, Answers], board: str, tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, BOARDS[board], tmp_path)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_depthwise_layers_are_exact_in_vector_instructions(answers: dict[str, Answers], tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, HELIUM_BOARD, tmp_path, kernels=HELIUM)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_flat_lines_are_exact_where_no_other_shift_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution_twins, "SHIFTS", (15,))
    networks = {str(width): depthwise(width, 1 + width % 2, **FLAT) for width in WIDTHS}
    assert {compile_network(net).routines[0].calls[0].settings["line_shift"] for net in networks.values()} == {15}
    (tmp_path / "host").mkdir()
    host = run_all(networks, tmp_path / "host")

    found = run_on_board(networks, BOARDS["m4, dsp"], tmp_path)

    assert found == {case: [hash_of(a.micro, sample) for sample in range(SAMPLES)] for case, a in host.items()}
    assert all(len(np.unique(answer.micro[0])) > 2 for answer in host.values())
