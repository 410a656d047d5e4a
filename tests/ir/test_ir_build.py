"""What the builder makes runs in the interpreter as it is, with versions and settings filled in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.ir.build import NetworkBuilder, quantize, settings
from edgecompile.ir.network import Network, Quantization
from edgecompile.ir.versions import version_of
from edgecompile.ir.writer import write

RUNNER = Path(__file__).with_name("ir_run_pairs.py")
X = (1, 6, 6, 4)


def unary(name: str, output: tuple[int, ...], scale: float = 0.1, zero: int = 0, **options: Any) -> Network:
    """One operator from x to y, int8."""
    build = NetworkBuilder()
    x = build.input("x", X, "int8", 0.1)
    y = build.tensor("y", output, "int8", scale, zero)
    build.op(name, [x], [y], **options)
    return build.output(y).build()


def with_ints(name: str, values: Any, output: tuple[int, ...], dtype: str = "int8", **options: Any) -> Network:
    """One operator from x and an int32 constant to y."""
    build = NetworkBuilder()
    x = build.input("x", X, dtype, 0.1 if dtype == "int8" else None)
    constant = build.constant("c", np.array(values, np.int32))
    y = build.tensor("y", output, dtype, 0.1 if dtype == "int8" else None)
    build.op(name, [x, constant], [y], **options)
    return build.output(y).build()


def binary(name: str, dtype: str = "int8", scale: float | None = 0.1) -> Network:
    build = NetworkBuilder()
    a, b = build.input("a", X, dtype, scale), build.input("b", X, dtype, scale)
    y = build.tensor("y", X, dtype, scale)
    build.op(name, [a, b], [y])
    return build.output(y).build()


def weighted(
    name: str, weights: tuple[int, ...], output: tuple[int, ...], axis: int, dtype: str, **options: Any
) -> Network:
    """A convolution or dense layer with weights by channel and a bias."""
    random, channels = np.random.default_rng(1), weights[axis]
    build = NetworkBuilder()
    if dtype == "float32":
        x = build.input("x", X)
        w = build.constant("w", random.standard_normal(weights).astype(np.float32))
        b = build.constant("b", np.ones(channels, np.float32))
        y = build.tensor("y", output)
    else:
        scales = tuple(0.01 * (i + 1) for i in range(channels)) if name != "FULLY_CONNECTED" else (0.01,)
        x = build.input("x", X, dtype, 0.1)
        w = build.constant("w", random.integers(-127, 128, weights).astype(np.int8), scale=scales, axis=axis)
        bias = np.arange(channels).astype(np.int32 if dtype == "int8" else np.int64)
        b = build.constant("b", bias, scale=tuple(0.1 * s for s in scales))
        y = build.tensor("y", output, dtype, 0.2)
    build.op(name, [x, w, b], [y], **options)
    return build.output(y).build()


def concatenation() -> Network:
    build = NetworkBuilder()
    a, b = build.input("a", X, "int8", 0.1), build.input("b", X, "int8", 0.1)
    y = build.tensor("y", (1, 6, 6, 8), "int8", 0.1)
    build.op("CONCATENATION", [a, b], [y], axis=3)
    return build.output(y).build()


def split() -> Network:
    build = NetworkBuilder()
    axis, x = build.constant("axis", np.int32(3)), build.input("x", X, "int8", 0.1)
    parts = [build.tensor(f"y{i}", (1, 6, 6, 2), "int8", 0.1) for i in range(2)]
    build.op("SPLIT", [axis, x], parts, num_splits=2, version=version_of("SPLIT", "int8"))
    return build.output(*parts).build()


def conversion(name: str, a: str, b: str) -> Network:
    build = NetworkBuilder()
    x = build.input("x", X, a, None if a == "float32" else 0.1)
    y = build.tensor("y", X, b, None if b == "float32" else 0.2)
    build.op(name, [x], [y])
    return build.output(y).build()


def strided_slice() -> Network:
    build = NetworkBuilder()
    x = build.input("x", X, "int8", 0.1)
    ranges = [
        build.constant(n, np.array(v, np.int32)) for n, v in [("b", [0] * 4), ("e", [1, 4, 6, 4]), ("s", [1, 2, 1, 1])]
    ]
    y = build.tensor("y", (1, 2, 6, 4), "int8", 0.1)
    build.op("STRIDED_SLICE", [x, *ranges], [y])
    return build.output(y).build()


def batch_matmul() -> Network:
    build = NetworkBuilder()
    a, b = build.input("a", (2, 3, 4), "int8", 0.1), build.input("b", (2, 4, 5), "int8", 0.1)
    y = build.tensor("y", (2, 3, 5), "int8", 0.3)
    build.op("BATCH_MATMUL", [a, b], [y])
    return build.output(y).build()


NETWORKS: dict[str, Callable[[], Network]] = {
    "conv_int8": lambda: weighted("CONV_2D", (3, 3, 3, 4), (1, 6, 6, 3), 0, "int8"),
    "conv_int16": lambda: weighted("CONV_2D", (3, 3, 3, 4), (1, 6, 6, 3), 0, "int16"),
    "conv_float": lambda: weighted("CONV_2D", (3, 3, 3, 4), (1, 3, 3, 3), 0, "float32", stride_h=2, stride_w=2),
    "depthwise_int8": lambda: weighted("DEPTHWISE_CONV_2D", (1, 3, 3, 4), (1, 6, 6, 4), 3, "int8"),
    "depthwise_int16": lambda: weighted("DEPTHWISE_CONV_2D", (1, 3, 3, 4), (1, 6, 6, 4), 3, "int16"),
    "dense_int8": lambda: weighted("FULLY_CONNECTED", (3, 144), (1, 3), 0, "int8"),
    "dense_int16": lambda: weighted("FULLY_CONNECTED", (3, 144), (1, 3), 0, "int16"),
    "dense_float": lambda: weighted("FULLY_CONNECTED", (3, 144), (1, 3), 0, "float32"),
    **{name.lower(): lambda name=name: binary(name) for name in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")},
    "add_float": lambda: binary("ADD", "float32", None),
    "squared_difference": lambda: binary("SQUARED_DIFFERENCE", "float32", None),
    "max_pool": lambda: unary("MAX_POOL_2D", (1, 3, 3, 4), filter_width=2, filter_height=2, stride_w=2, stride_h=2),
    "average_pool": lambda: unary("AVERAGE_POOL_2D", (1, 6, 6, 4), filter_width=2, filter_height=2),
    "softmax": lambda: unary("SOFTMAX", X, 1 / 256, -128),
    "logistic": lambda: unary("LOGISTIC", X, 1 / 256, -128),
    "tanh": lambda: unary("TANH", X, 1 / 128),
    "relu": lambda: unary("RELU", X),
    "relu6": lambda: unary("RELU6", X),
    "leaky_relu": lambda: unary("LEAKY_RELU", X, alpha=0.3),
    "depth_to_space": lambda: unary("DEPTH_TO_SPACE", (1, 12, 12, 1), block_size=2),
    "space_to_depth": lambda: unary("SPACE_TO_DEPTH", (1, 3, 3, 16), block_size=2),
    "reshape": lambda: with_ints("RESHAPE", [1, 144], (1, 144)),
    "pad": lambda: with_ints("PAD", [[0, 0], [1, 1], [2, 0], [0, 0]], (1, 8, 8, 4)),
    "mean": lambda: with_ints("MEAN", [1, 2], (1, 4)),
    "sum": lambda: with_ints("SUM", [1, 2], (1, 4), keep_dims=False),
    "transpose": lambda: with_ints("TRANSPOSE", [0, 3, 1, 2], (1, 4, 6, 6)),
    "resize_bilinear": lambda: with_ints("RESIZE_BILINEAR", [12, 12], (1, 12, 12, 4)),
    "resize_nearest": lambda: with_ints("RESIZE_NEAREST_NEIGHBOR", [12, 12], (1, 12, 12, 4)),
    "gather": lambda: with_ints("GATHER", [0, 2], (1, 2, 6, 4), axis=1),
    "tile": lambda: with_ints("TILE", [1, 2, 1, 1], (1, 12, 6, 4), "float32"),
    "concatenation": concatenation,
    "split": split,
    "strided_slice": strided_slice,
    "batch_matmul": batch_matmul,
    "quantize": lambda: conversion("QUANTIZE", "float32", "int8"),
    "requantize": lambda: conversion("QUANTIZE", "int8", "int8"),
    "dequantize": lambda: conversion("DEQUANTIZE", "int8", "float32"),
}


def test_built_networks_run_in_the_interpreter(tmp_path: Path) -> None:
    pytest.importorskip("tflite_runtime", reason="needs tflite-runtime")
    for name, make in NETWORKS.items():
        (tmp_path / f"{name}.tflite").write_bytes(write(make()))

    finished = subprocess.run(
        [sys.executable, str(RUNNER), str(tmp_path), str(tmp_path)], capture_output=True, text=True, timeout=120
    )

    answers = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(NETWORKS)
    assert [answer for answer in answers if not (answer["ran"] and answer["equal"])] == []


def test_settings_left_out_are_defaults_with_strides_of_one() -> None:
    assert settings("CONV_2D", {"padding": "VALID"}) == {
        "padding": "VALID",
        "stride_w": 1,
        "stride_h": 1,
        "fused_activation_function": "NONE",
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
        "quantized_bias_type": "float32",
    }
    assert settings("SOFTMAX", {}) == {"beta": 1.0}
    assert settings("FLOOR", {}) == {}


def test_a_setting_that_the_operator_does_not_have_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="`CONV_2D` has no setting `strides`"):
        settings("CONV_2D", {"strides": 2})


def test_numbers_are_rounded_as_files_hold_them() -> None:
    assert settings("LEAKY_RELU", {"alpha": 0.1}) == {"alpha": float(np.float32(0.1))}
    assert quantize(0.1) == Quantization(scales=(float(np.float32(0.1)),), zero_points=(0,))
    assert quantize((0.5, 0.25), 0, 3) == Quantization(scales=(0.5, 0.25), zero_points=(0, 0), axis=3)
    assert quantize(None) is None


@pytest.mark.parametrize(
    "operator, dtype, version",
    [
        pytest.param("CONV_2D", "float32", 1, id="float"),
        pytest.param("CONV_2D", "int8", 3, id="int8"),
        pytest.param("ADD", "int16", 3, id="int16"),
        pytest.param("RESHAPE", "int8", 1, id="one version for all"),
    ],
)
def test_versions_follow_the_element_type(operator: str, dtype: str, version: int) -> None:
    assert version_of(operator, dtype) == version
