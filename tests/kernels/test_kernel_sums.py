"""Convolutions, dense layers and pooling as C against TensorFlow Lite Micro: sizes, strides, padding, extremes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.core.target import DSP, HELIUM
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.program import compile_network
from edgecompile.memory.program_plan import plan_program

pytestmark = [needs_gcc, pytest.mark.micro]


def weights_for(draw: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    if kind == "extreme":
        return draw.choice(np.array([-127, 127], np.int8), shape)
    if kind == "lowest":
        return draw.choice(np.array([-128, -1, 127], np.int8), shape)
    if kind == "dead":
        values = draw.integers(-127, 128, shape, dtype=np.int8)
        values[(slice(None),) * (3 if shape[0] == 1 else 0) + (slice(None, None, 2),)] = 0
        return values
    if kind == "small":
        return draw.integers(-1, 2, shape, dtype=np.int8)
    return draw.integers(-127, 128, shape, dtype=np.int8)


def convolution(
    name: str,
    source: tuple[int, ...],
    kernel: tuple[int, ...],
    output: tuple[int, ...],
    *,
    kind: str = "random",
    in_zero: int = -7,
    out_zero: int = 5,
    in_scale: float = 0.05,
    out_scale: float | None = None,
    per_channel: bool = True,
    bias: bool = True,
    bias_limit: int | None = None,
    **options: object,
) -> Network:
    draw = np.random.default_rng(sum(source) * 31 + sum(kernel))
    axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
    channels = kernel[axis]
    scales = draw.uniform(0.001, 0.01, channels if per_channel else 1)
    if kind == "dead":
        scales[::2] = np.geomspace(1e-9, 2e3, len(scales[::2]))
    products = int(np.prod(kernel)) // channels
    build = NetworkBuilder()
    x = build.input("x", source, "int8", scale=in_scale, zero_point=in_zero)
    w = build.constant("w", weights_for(draw, kernel, kind), scale=scales.tolist(), axis=axis)
    inputs = [x, w]
    if bias:
        limit = bias_limit or 2000 * products
        inputs.append(
            build.constant(
                "b", draw.integers(-limit, limit, channels, dtype=np.int32), scale=(in_scale * scales).tolist()
            )
        )
    y = build.tensor("y", output, "int8", scale=out_scale or in_scale * 0.005 * 40 * products**0.5, zero_point=out_zero)
    build.op(name, inputs, [y], **options)
    return build.output(y).build()


CONV = "CONV_2D"
DEPTHWISE = "DEPTHWISE_CONV_2D"
RELU6 = {"fused_activation_function": "RELU6"}
RELU = {"fused_activation_function": "RELU"}
CASES: dict[str, Callable[[], Network]] = {
    "conv 1x1": lambda: convolution(CONV, (1, 5, 5, 8), (6, 1, 1, 8), (1, 5, 5, 6)),
    "conv 1x1, more channels out": lambda: convolution(CONV, (1, 5, 5, 4), (12, 1, 1, 4), (1, 5, 5, 12)),
    "conv 1x1, fewer channels out": lambda: convolution(CONV, (1, 5, 7, 16), (3, 1, 1, 16), (1, 5, 7, 3)),
    "conv 1x1, stride 2": lambda: convolution(CONV, (1, 7, 6, 8), (8, 1, 1, 8), (1, 4, 3, 8), stride_h=2, stride_w=2),
    "conv 3x3 same": lambda: convolution(CONV, (1, 6, 5, 4), (5, 3, 3, 4), (1, 6, 5, 5), padding="SAME"),
    "conv 3x3 valid": lambda: convolution(CONV, (1, 6, 5, 4), (5, 3, 3, 4), (1, 4, 3, 5), padding="VALID"),
    "conv 3x3 same, stride 2, even": lambda: convolution(
        CONV, (1, 8, 6, 3), (4, 3, 3, 3), (1, 4, 3, 4), stride_h=2, stride_w=2, padding="SAME"
    ),
    "conv 5x3, stride 1x2, three channels": lambda: convolution(
        CONV, (1, 9, 8, 3), (7, 5, 3, 3), (1, 9, 4, 7), stride_h=1, stride_w=2, padding="SAME"
    ),
    "conv dilated": lambda: convolution(
        CONV, (1, 9, 9, 4), (4, 3, 3, 4), (1, 9, 9, 4), dilation_h_factor=2, dilation_w_factor=3, padding="SAME"
    ),
    "conv of a batch": lambda: convolution(CONV, (3, 4, 3, 4), (4, 3, 3, 4), (3, 4, 3, 4), padding="SAME"),
    "conv, one output pixel": lambda: convolution(CONV, (1, 3, 3, 4), (9, 3, 3, 4), (1, 1, 1, 9), padding="VALID"),
    "conv, one input channel": lambda: convolution(CONV, (1, 9, 10, 1), (8, 4, 3, 1), (1, 9, 10, 8), padding="SAME"),
    "conv, relu6": lambda: convolution(CONV, (1, 4, 4, 4), (4, 1, 1, 4), (1, 4, 4, 4), out_scale=0.04, **RELU6),
    "conv, relu": lambda: convolution(
        CONV, (1, 4, 4, 4), (4, 1, 1, 4), (1, 4, 4, 4), out_zero=-20, fused_activation_function="RELU"
    ),
    **{
        f"conv 1x1, {pixels} pixels": (
            lambda pixels=pixels: convolution(CONV, (1, 1, pixels, 7), (6, 1, 1, 7), (1, 1, pixels, 6))
        )
        for pixels in (1, 2, 3, 6, 7)
    },
    **{
        f"conv 1x1 on lines, {pixels} pixels, {in_c} to {out_c}": (
            lambda pixels=pixels, in_c=in_c, out_c=out_c: convolution(
                CONV, (1, pixels, 1, in_c), (out_c, 1, 1, in_c), (1, pixels, 1, out_c), out_zero=-128, **RELU
            )
        )
        for pixels, in_c, out_c in ((1, 4, 3), (2, 8, 8), (3, 13, 5), (7, 6, 11), (19, 20, 2), (23, 3, 1), (18, 36, 37))
    },
    "conv 1x1 on lines, of a batch": lambda: convolution(
        CONV, (3, 3, 3, 4), (9, 1, 1, 4), (3, 3, 3, 9), out_zero=-128, **RELU
    ),
    "conv 3x3 on lines": lambda: convolution(
        CONV, (1, 6, 5, 4), (5, 3, 3, 4), (1, 6, 5, 5), out_zero=-128, padding="SAME", **RELU
    ),
    "conv 3x3 on lines, three channels, cut at both ends": lambda: convolution(
        CONV, (1, 6, 5, 3), (6, 3, 3, 3), (1, 6, 5, 6), out_zero=-40, out_scale=0.04, padding="SAME", **RELU6
    ),
    "conv, per tensor": lambda: convolution(CONV, (1, 4, 4, 4), (4, 1, 1, 4), (1, 4, 4, 4), per_channel=False),
    "conv without bias": lambda: convolution(CONV, (1, 4, 4, 4), (4, 1, 1, 4), (1, 4, 4, 4), bias=False),
    "conv, extreme weights": lambda: convolution(
        CONV, (1, 4, 4, 64), (6, 3, 3, 64), (1, 4, 4, 6), kind="extreme", padding="SAME"
    ),
    "conv, dead channels of any scale": lambda: convolution(
        CONV, (1, 4, 4, 8), (12, 3, 3, 8), (1, 4, 4, 12), kind="dead", padding="SAME"
    ),
    "depthwise, dead channels of any scale": lambda: convolution(
        DEPTHWISE, (1, 5, 4, 10), (1, 3, 3, 10), (1, 5, 4, 10), kind="dead", padding="SAME"
    ),
    "conv, lowest zero points": lambda: convolution(
        CONV, (1, 4, 4, 8), (6, 3, 3, 8), (1, 4, 4, 6), in_zero=-128, out_zero=-128, padding="SAME"
    ),
    "conv, highest zero points": lambda: convolution(
        CONV, (1, 4, 4, 8), (6, 3, 3, 8), (1, 4, 4, 6), in_zero=127, out_zero=127, padding="SAME"
    ),
    "conv, multipliers over 1": lambda: convolution(
        CONV, (1, 4, 4, 4), (6, 1, 1, 4), (1, 4, 4, 6), kind="small", in_scale=4.0, out_scale=0.02, bias_limit=40
    ),
    "conv, tiny multipliers": lambda: convolution(
        CONV, (1, 4, 4, 4), (6, 1, 1, 4), (1, 4, 4, 6), in_scale=1e-6, out_scale=0.5, bias_limit=2**30
    ),
    "depthwise 3x3 same": lambda: convolution(DEPTHWISE, (1, 6, 5, 4), (1, 3, 3, 4), (1, 6, 5, 4), padding="SAME"),
    "depthwise 3x3 valid": lambda: convolution(DEPTHWISE, (1, 6, 5, 4), (1, 3, 3, 4), (1, 4, 3, 4), padding="VALID"),
    "depthwise 3x3, stride 2": lambda: convolution(
        DEPTHWISE, (1, 8, 7, 6), (1, 3, 3, 6), (1, 4, 4, 6), stride_h=2, stride_w=2, padding="SAME"
    ),
    "depthwise, multiplier 8": lambda: convolution(
        DEPTHWISE, (1, 9, 8, 1), (1, 5, 4, 8), (1, 5, 4, 8), depth_multiplier=8, stride_h=2, stride_w=2, padding="SAME"
    ),
    "depthwise, multiplier 2": lambda: convolution(
        DEPTHWISE, (1, 5, 5, 3), (1, 3, 3, 6), (1, 5, 5, 6), depth_multiplier=2, padding="SAME"
    ),
    "depthwise dilated": lambda: convolution(
        DEPTHWISE, (1, 7, 7, 4), (1, 3, 3, 4), (1, 7, 7, 4), dilation_h_factor=2, dilation_w_factor=2, padding="SAME"
    ),
    "depthwise of a batch": lambda: convolution(DEPTHWISE, (2, 5, 4, 3), (1, 3, 3, 3), (2, 5, 4, 3), padding="SAME"),
    "depthwise, lowest weights": lambda: convolution(
        DEPTHWISE, (1, 5, 4, 3), (1, 3, 3, 3), (1, 5, 4, 3), kind="lowest", padding="SAME", **RELU6
    ),
    "dense": lambda: convolution("FULLY_CONNECTED", (1, 12), (10, 12), (1, 10)),
    "dense, odd sizes": lambda: convolution("FULLY_CONNECTED", (1, 7), (5, 7), (1, 5)),
    "dense of a batch": lambda: convolution("FULLY_CONNECTED", (3, 9), (6, 9), (3, 6)),
    "dense, per tensor": lambda: convolution("FULLY_CONNECTED", (1, 33), (9, 33), (1, 9), per_channel=False),
    "dense without bias, relu": lambda: convolution(
        "FULLY_CONNECTED", (1, 8), (3, 8), (1, 3), bias=False, fused_activation_function="RELU"
    ),
    "dense, extreme weights": lambda: convolution("FULLY_CONNECTED", (1, 640), (7, 640), (1, 7), kind="extreme"),
    "dense, one input": lambda: convolution("FULLY_CONNECTED", (1, 1), (16, 1), (1, 16)),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("sums")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_sums_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 2, "the case shows nothing: outputs hardly differ"


@pytest.mark.parametrize("case", [case for case in CASES if "on lines" in case])
def test_cases_on_lines_are_on_lines(case: str) -> None:
    (routine,) = compile_network(CASES[case]()).routines

    assert "lines" in routine.calls[0].constants


@pytest.mark.parametrize(("kernels", "scratch_bytes"), [(DSP, 4 * 8), (HELIUM, 4 * 16)], ids=["dsp", "helium"])
def test_a_layer_with_more_channels_out_is_made_backwards_over_its_input(kernels: str, scratch_bytes: int) -> None:
    network = CASES["conv 1x1, more channels out"]()

    plan = plan_program(network, compile_network(network, kernels=kernels))

    assert plan.offsets[network.main.inputs[0]] <= plan.offsets[network.main.outputs[0]] + 4 * (12 - 4)
    assert plan.plan.arena_bytes == 25 * 12 + scratch_bytes
