"""Element-wise operators and reductions as C against TensorFlow Lite Micro, for every value and many scales."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

pytestmark = needs_gcc
Make = Callable[[], Network]
SIGMOID, TANH, SAME = (1 / 256, -128), (1 / 128, 0), (0.05, -10)


def unary(
    name: str, given: tuple[float, int], result: tuple[float, int], dtypes: str = "int8", **options: object
) -> Make:
    """All 256 values at once, whatever the noise is."""
    first, _, second = dtypes.partition(" ")

    def make() -> Network:
        build = NetworkBuilder()
        x = build.input("x", (1, 16, 16), first, scale=given[0], zero_point=given[1])
        y = build.tensor("y", (1, 16, 16), second or first, scale=result[0], zero_point=result[1])
        build.op(name, [x], [y], **options)
        return build.output(y).build()

    return make


def binary(
    name: str,
    first: tuple[int, ...],
    second: tuple[int, ...],
    *,
    scales: tuple[float, float, float] = (0.04, 0.07, 0.1),
    zeros: tuple[int, int, int] = (-5, 9, 3),
    constant: bool = False,
    **options: object,
) -> Make:
    def make() -> Network:
        build = NetworkBuilder()
        x = build.input("x", first, "int8", scale=scales[0], zero_point=zeros[0])
        values = np.random.default_rng(1).integers(-128, 128, second, dtype=np.int8)
        if constant:
            y = build.constant("y", values, scale=scales[1], zero_point=zeros[1])
        else:
            y = build.input("y", second, "int8", scale=scales[1], zero_point=zeros[1])
        z = build.tensor("z", np.broadcast_shapes(first, second), "int8", scale=scales[2], zero_point=zeros[2])
        build.op(name, [x, y], [z], **options)
        return build.output(z).build()

    return make


def reduction(name: str, shape: tuple[int, ...], axes: list[int], keep: bool, scale: float = 0.05) -> Make:
    def make() -> Network:
        build = NetworkBuilder()
        x = build.input("x", shape, "int8", scale=0.05, zero_point=11)
        a = build.constant("axes", np.array(axes, np.int32))
        summed = {axis % len(shape) for axis in axes}
        kept = [1 if axis in summed else size for axis, size in enumerate(shape) if keep or axis not in summed]
        y = build.tensor("y", kept, "int8", scale=scale, zero_point=-4)
        build.op(name, [x, a], [y], keep_dims=keep)
        return build.output(y).build()

    return make


CASES: dict[str, Make] = {
    "logistic": unary("LOGISTIC", (0.05, 3), SIGMOID),
    "logistic, wide": unary("LOGISTIC", (0.7, -100), SIGMOID),
    "logistic, narrow": unary("LOGISTIC", (0.001, 127), SIGMOID),
    "tanh": unary("TANH", (0.03, -3), TANH),
    "tanh, wide": unary("TANH", (0.4, 50), TANH),
    "tanh, narrow": unary("TANH", (0.002, -128), TANH),
    "hard swish": unary("HARD_SWISH", (0.05, -20), (0.04, -110)),
    "hard swish, wide": unary("HARD_SWISH", (0.9, 10), (0.9, -3)),
    "hard swish, narrow": unary("HARD_SWISH", (0.01, 0), (0.006, -50)),
    "relu": unary("RELU", (0.05, -20), (0.03, -128)),
    "relu, up": unary("RELU", (0.2, 13), (0.03, -77)),
    "relu6": unary("RELU6", (0.05, -20), (0.05, -20)),
    "relu6, out of reach": unary("RELU6", (0.01, -128), (0.01, -128)),
    "leaky relu": unary("LEAKY_RELU", (0.05, -20), (0.04, 7), alpha=0.3),
    "leaky relu, negative slope": unary("LEAKY_RELU", (0.05, 30), (0.06, -7), alpha=-0.7),
    "requantize": unary("QUANTIZE", (0.05, -20), (0.031, 44)),
    "requantize, up": unary("QUANTIZE", (0.5, 5), (0.1, -3)),
    "uint8 to int8": unary("QUANTIZE", (0.007, 128), (0.007, 0), "uint8 int8"),
    "int8 to uint8": unary("QUANTIZE", (0.02, -9), (0.03, 99), "int8 uint8"),
    "softmax": lambda: softmax((1, 10), 0.1),
    "softmax of rows": lambda: softmax((5, 7), 0.3),
    "softmax, wide": lambda: softmax((1, 12), 2.0),
    "softmax, narrow": lambda: softmax((1, 100), 0.003),
    "softmax, beta": lambda: softmax((2, 6), 0.05, beta=1.7),
    "softmax, one class": lambda: softmax((3, 1), 0.05),
    "add": binary("ADD", (1, 4, 5, 6), (1, 4, 5, 6)),
    "add, relu": binary("ADD", (1, 40), (1, 40), zeros=(-128, 127, -20), fused_activation_function="RELU"),
    "add, relu at the lowest output, 37 elements": binary(
        "ADD", (1, 37), (1, 37), zeros=(3, -9, -128), scales=(0.05, 0.02, 0.06), fused_activation_function="RELU"
    ),
    "sub, relu at the lowest output, half": binary(
        "SUB", (1, 21), (1, 21), zeros=(3, -9, -128), scales=(0.02, 0.05, 0.03), fused_activation_function="RELU"
    ),
    "add, very different scales": binary("ADD", (1, 64), (1, 64), scales=(1e-3, 2.0, 1.5)),
    "add, scaled up": binary("ADD", (1, 64), (1, 64), scales=(0.5, 0.4, 0.01)),
    "add a channel's constant": binary("ADD", (1, 3, 4, 5), (5,), constant=True),
    "add a scalar": binary("ADD", (1, 3, 4, 5), (1,), constant=True),
    "add, both broadcast": binary("ADD", (1, 3, 1, 5), (1, 1, 4, 5)),
    "add to itself broadcast": binary("ADD", (1, 1, 1, 6), (1, 4, 3, 6)),
    "sub": binary("SUB", (1, 4, 5, 6), (1, 4, 5, 6)),
    "sub, relu6, broadcast": binary("SUB", (2, 3, 4), (2, 1, 4), fused_activation_function="RELU6"),
    "mul": binary("MUL", (1, 4, 5, 6), (1, 4, 5, 6), scales=(0.04, 0.07, 0.2)),
    "mul, extremes": binary("MUL", (1, 64), (1, 64), scales=(0.04, 0.07, 0.9), zeros=(-128, 127, 127)),
    "mul, squeeze and excite": binary("MUL", (1, 4, 5, 6), (1, 1, 1, 6), scales=(0.04, 0.07, 0.2)),
    "mul, over 1": binary("MUL", (1, 64), (1, 64), scales=(0.9, 0.9, 0.5), zeros=(3, 4, 5)),
    "maximum": binary("MAXIMUM", (1, 4, 5), (1, 4, 5), scales=(0.1, 0.1, 0.1), zeros=(2, 2, 2)),
    "minimum, broadcast": binary("MINIMUM", (1, 4, 5), (1, 1, 5), scales=(0.1, 0.1, 0.1), zeros=(2, 2, 2)),
    "mean over the picture": reduction("MEAN", (1, 6, 5, 7), [1, 2], False, 0.02),
    "mean over the picture, axes kept": reduction("MEAN", (2, 6, 5, 7), [1, 2], True, 0.02),
    "mean over channels": reduction("MEAN", (1, 6, 5, 7), [-1], True, 0.03),
    "mean over rows": reduction("MEAN", (2, 6, 5), [1], False, 0.03),
    "mean over outer and inner": reduction("MEAN", (3, 4, 5), [0, 2], False, 0.03),
    "mean over all": reduction("MEAN", (3, 4, 5), [0, 1, 2], False, 0.01),
    "mean of one": reduction("MEAN", (1, 4, 1, 5), [2], False, 0.05),
    "sum": reduction("SUM", (1, 6, 5, 7), [1, 2], False, 0.8),
    "sum over channels": reduction("SUM", (1, 6, 5, 7), [3], True, 0.2),
}


def softmax(shape: tuple[int, ...], scale: float, beta: float = 1.0) -> Network:
    build = NetworkBuilder()
    x = build.input("x", shape, "int8", scale=scale, zero_point=17)
    y = build.tensor("y", shape, "int8", scale=1 / 256, zero_point=-128)
    build.op("SOFTMAX", [x], [y], beta=beta)
    return build.output(y).build()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("elements")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_elements_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
