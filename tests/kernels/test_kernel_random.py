"""Convolutions of drawn sizes, strides, activations and extremes: equal to the reference, here and on boards."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from kernel_board import BOARDS, HELIUM_BOARD, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, assert_equal, needs_gcc, run_all
from test_kernel_sums import CONV, DEPTHWISE, convolution

from edgecompile.core.target import HELIUM
from edgecompile.ir.network import Network

pytestmark = [needs_gcc, pytest.mark.micro]
LACKING = [program for program in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(program) is None]
COUNT = 30


def drawn(draw: random.Random) -> tuple[str, Network]:
    """A convolution or depthwise convolution with a result; its name says how to make it again."""
    while True:
        is_depthwise = draw.random() < 0.5
        kernel = (3, 3) if is_depthwise and draw.random() < 0.4 else (draw.randint(1, 7), draw.randint(1, 7))
        dilations = (draw.choice((1, 1, 1, 2)), draw.choice((1, 1, 1, 2)))
        strides = (1, 1) if dilations != (1, 1) else (draw.randint(1, 3), draw.randint(1, 3))
        strides = (strides[0], strides[0]) if is_depthwise else strides
        padding, size = draw.choice(("SAME", "SAME", "VALID")), (draw.randint(1, 12), draw.randint(1, 14))
        result = [extent(*one, padding) for one in zip(size, kernel, strides, dilations, strict=True)]
        if min(result) > 0:
            break
    channels, batches = draw.choice((1, 2, 3, 4, 5, 7, 9)), draw.choice((1, 1, 1, 2))
    multiplier = draw.choice((1, 1, 2, 3))
    outputs = channels * multiplier if is_depthwise else draw.randint(1, 9)
    options = {
        **dict(zip(("stride_h", "stride_w"), strides, strict=True)),
        **dict(zip(("dilation_h_factor", "dilation_w_factor"), dilations, strict=True)),
        **({"depth_multiplier": multiplier} if is_depthwise else {}),
        **scaling(draw),
        "padding": padding,
    }
    shape = (1, *kernel, outputs) if is_depthwise else (outputs, *kernel, channels)
    name, source = DEPTHWISE if is_depthwise else CONV, (batches, *size, channels)
    made = convolution(name, source, shape, (batches, *result, outputs), **options)
    return f"{name} {source} {shape} {options}", made


def extent(source: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """How many outputs there are along an axis."""
    return -(-source // stride) if padding == "SAME" else (source - (kernel - 1) * dilation - 1) // stride + 1


def scaling(draw: random.Random) -> dict[str, object]:
    """Zero points, scales and activations, extreme ones too."""
    if draw.random() < 0.1:
        return {"kind": "small", "in_scale": 4.0, "out_scale": 0.02, "bias_limit": 40}
    found: dict[str, object] = {"kind": draw.choice(("random", "random", "extreme", "dead", "lowest", "small"))}
    if draw.random() < 0.5:
        found |= {"out_zero": -128, "fused_activation_function": "RELU"}
    elif draw.random() < 0.3:
        found |= {"out_scale": 0.03, "fused_activation_function": "RELU6"}
    return found | ({"in_zero": draw.choice((-128, 127))} if draw.random() < 0.2 else {})


def networks() -> dict[str, Network]:
    draw = random.Random(20)
    return {f"{index}: {name}": network for index, (name, network) in enumerate(drawn(draw) for _ in range(COUNT))}


NETWORKS = networks()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("random"))


def test_drawn_convolutions_equal_the_reference_bit_for_bit(answers: dict[str, Answers]) -> None:
    for answer in answers.values():
        assert_equal(answer)


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_drawn_convolutions_are_exact_with_dsp_instructions(answers: dict[str, Answers], tmp_path: Path) -> None:
    assert run_on_board(NETWORKS, BOARDS["m4, dsp"], tmp_path) == hashes(answers)


@pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
def test_drawn_convolutions_are_exact_in_vector_instructions(answers: dict[str, Answers], tmp_path: Path) -> None:
    assert run_on_board(NETWORKS, HELIUM_BOARD, tmp_path, kernels=HELIUM) == hashes(answers)


def hashes(answers: dict[str, Answers]) -> dict[str, list[int]]:
    return {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
