"""Rewrites that keep the outputs: what they make of a network, what they leave alone, and equal outputs in TFLite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rewrites_judge import differences, labels, outer, target

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.legalize.legalize import rewrites
from edgecompile.optimize.apply import apply

draw = np.random.default_rng(1)
PLAIN_DENSE = {"max_version": 8, "options": {"keep_num_dims": [False]}}


def dense(
    shape: tuple[int, ...],
    outputs: int,
    *,
    per_channel: bool,
    keep: bool = False,
    bias: bool = True,
    activation: str = "NONE",
    dtype: str = "int8",
) -> Network:
    """FULLY_CONNECTED over the last dimension of ``shape``."""
    net, depth = NetworkBuilder(), shape[-1]
    x = net.input("in", shape, dtype, 0.05, 3)
    scales = [0.01 * (1 + i % 5) for i in range(outputs)] if per_channel else 0.02
    w = net.constant("w", draw.integers(-127, 128, (outputs, depth)).astype(np.int8), scale=scales)
    b = net.constant("b", draw.integers(-900, 900, outputs).astype(np.int32), scale=0.001) if bias else -1
    rows = shape[:-1] if keep else (int(np.prod(shape)) // depth,)
    y = net.tensor("model/dense/MatMul;out", (*rows, outputs), dtype, 0.3, -5)
    version = 12 if per_channel else 5 if keep else 4
    net.op("FULLY_CONNECTED", [x, w, b], [y], version=version, keep_num_dims=keep, fused_activation_function=activation)
    return net.output(y).build()


def flattened(height: int, width: int, channels: int) -> Network:
    """Flatten and dense."""
    net = NetworkBuilder()
    x = net.input("in", (1, height, width, channels), "int8", 0.05, 3)
    count = height * width * channels
    flat = net.tensor("flat", (1, count), "int8", 0.05, 3)
    net.op("RESHAPE", [x, net.constant("shape", np.asarray([1, count], np.int32))], [flat], new_shape=(1, count))
    w = net.constant("w", draw.integers(-127, 128, (5, count)).astype(np.int8), scale=0.01)
    b = net.constant("b", draw.integers(-900, 900, 5).astype(np.int32), scale=0.0005)
    y = net.tensor("out", (1, 5), "int8", 0.5, 2)
    net.op("FULLY_CONNECTED", [flat, w, b], [y], fused_activation_function="RELU")
    return net.output(y).build()


def resize(name: str, before: tuple[int, int], after: tuple[int, int], dtype: str = "int8", **options: bool) -> Network:
    """A resize of 3 channels."""
    net = NetworkBuilder()
    x = net.input("in", (1, *before, 3), dtype, 0.1, 4)
    y = net.tensor("out", (1, *after, 3), dtype, 0.1, 4)
    version = 3 if options else 2 if dtype == "int8" else 1
    net.op(name, [x, net.constant("size", np.asarray(after, np.int32))], [y], version=version, **options)
    return net.output(y).build()


def leaky(alpha: float, shape: tuple[int, ...] = (1, 4, 4, 8), dtype: str = "int8", scale: float = 0.04) -> Network:
    """LEAKY_RELU with another output scale than the input's."""
    net = NetworkBuilder()
    x = net.input("in", shape, dtype, 0.05, 7)
    y = net.tensor("out", shape, dtype, scale, 12)
    net.op("LEAKY_RELU", [x], [y], alpha=alpha)
    return net.output(y).build()


def pooled(name: str, activation: str, dtype: str = "int8") -> Network:
    """A pool with an activation fused into it."""
    net = NetworkBuilder()
    x = net.input("in", (1, 4, 4, 3), dtype, 0.08, 9)
    y = net.tensor("out", (1, 2, 2, 3), dtype, 0.08, 9)
    window = {"filter_height": 2, "filter_width": 2, "stride_h": 2, "stride_w": 2, "padding": "VALID"}
    net.op(name, [x], [y], fused_activation_function=activation, **window)
    return net.output(y).build()


def transposed(shape: tuple[int, ...], order: tuple[int, ...]) -> Network:
    """TRANSPOSE."""
    net = NetworkBuilder()
    x = net.input("in", shape, "int8", 0.1, 1)
    y = net.tensor("out", tuple(shape[axis] for axis in order), "int8", 0.1, 1)
    net.op("TRANSPOSE", [x, net.constant("order", np.asarray(order, np.int32))], [y])
    return net.output(y).build()


def shuffled(channels: int, block: int, size: int = 9) -> Network:
    """DEPTH_TO_SPACE."""
    net = NetworkBuilder()
    x = net.input("in", (1, size, size, channels), "int8", 0.1, 1)
    y = net.tensor("out", (1, size * block, size * block, channels // block**2), "int8", 0.1, 1)
    net.op("DEPTH_TO_SPACE", [x], [y], version=1, block_size=block)
    return net.output(y).build()


def sliced(begin: list[int], end: list[int], strides: list[int], dtype: str = "int8", **masks: int) -> Network:
    """STRIDED_SLICE of an image of 9 by 8."""
    net = NetworkBuilder()
    x = net.input("in", (1, 9, 8, 4), dtype, 0.1, 1)
    cut = tuple(
        slice(
            None if masks.get("begin_mask", 0) >> axis & 1 else b,
            None if masks.get("end_mask", 0) >> axis & 1 else e,
            s,
        )
        for axis, (b, e, s) in enumerate(zip(begin, end, strides, strict=True))
    )
    y = net.tensor("out", np.empty((1, 9, 8, 4))[cut].shape, dtype, 0.1, 1)
    given = [net.constant(f"c{i}", np.asarray(v, np.int32)) for i, v in enumerate((begin, end, strides))]
    net.op("STRIDED_SLICE", [x, *given], [y], **masks)
    return net.output(y).build()


def versioned(name: str, version: int) -> Network:
    """One operator that says it is newer than what it does."""
    net = NetworkBuilder()
    if name == "FULLY_CONNECTED":
        network = dense((1, 6), 4, per_channel=False)
        main = network.main
        return replace(network, subgraphs=(replace(main, operators=(replace(main.operators[0], version=version),)),))
    x = net.input("in", (1, 4, 4, 3), "uint8" if name == "QUANTIZE" else "int8", 0.1, 128 if name == "QUANTIZE" else 0)
    y = net.tensor("out", (1, 4, 4, 3), "int8", 0.1, 0)
    if name == "CONV_2D":
        weights = net.constant("w", np.ones((3, 1, 1, 3), np.int8), scale=0.1)
        bias = net.constant("b", np.zeros(3, np.int32), scale=0.01)
        net.op(name, [x, weights, bias], [y], version=version, padding="SAME", stride_w=1, stride_h=1)
    else:
        net.op(name, [x, x] if name == "ADD" else [x], [y], version=version)
    return net.output(y).build()


def huge(outputs: int = 200, bias: bool = True, per_channel: bool = False) -> Network:
    """FULLY_CONNECTED of 64 inputs."""
    return dense((1, 64), outputs, per_channel=per_channel, bias=bias, activation="RELU")


Case = tuple[str, Network, dict[str, Any], list[str]]
BILINEAR, NEAREST = "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"
SMALL = {"max_resize": 2, "max_version": 2}
STRIDED = {"unit_strides": True}
REWRITTEN: dict[str, Case] = {
    "dense with a scale per channel": (
        "dense_to_convolution", dense((1, 12), 5, per_channel=True), {"FULLY_CONNECTED": PLAIN_DENSE},
        ["RESHAPE", "CONV_2D", "RESHAPE"],
    ),
    "dense over time": (
        "dense_to_convolution", dense((1, 7, 12), 5, per_channel=False, keep=True), {"FULLY_CONNECTED": PLAIN_DENSE},
        ["RESHAPE", "CONV_2D", "RESHAPE"],
    ),
    "dense over an image": (
        "dense_to_convolution", dense((1, 3, 4, 12), 5, per_channel=True, keep=True, activation="RELU6"),
        {"FULLY_CONNECTED": PLAIN_DENSE}, ["CONV_2D"],
    ),
    "dense without a bias": (
        "dense_to_convolution", dense((1, 12), 5, per_channel=True, bias=False), {"FULLY_CONNECTED": PLAIN_DENSE},
        ["RESHAPE", "CONV_2D", "RESHAPE"],
    ),
    "dense of several rows": (
        "dense_to_convolution", dense((6, 12), 5, per_channel=True), {"FULLY_CONNECTED": PLAIN_DENSE},
        ["RESHAPE", "CONV_2D", "RESHAPE"],
    ),
    "flatten of 3 channels": ("flatten_to_convolution", flattened(5, 4, 3), {}, ["CONV_2D", "RESHAPE"]),
    "bilinear from one pixel": (
        "spread_resize", resize(BILINEAR, (1, 1), (5, 7), half_pixel_centers=True), {BILINEAR: SMALL},
        ["CONCATENATION", "CONCATENATION"],
    ),
    "one pixel to a row": ("spread_resize", resize(BILINEAR, (1, 1), (1, 7)), {BILINEAR: SMALL}, ["CONCATENATION"]),
    "uint8 nearest from one pixel": (
        "spread_resize", resize(NEAREST, (1, 1), (3, 3), "uint8", align_corners=True), {NEAREST: SMALL},
        ["CONCATENATION", "CONCATENATION"],
    ),
    "nearest by 4": (
        "nearest_resize", resize(NEAREST, (5, 6), (20, 24), half_pixel_centers=True), {NEAREST: SMALL}, [NEAREST] * 2,
    ),
    "nearest by 3": ("nearest_resize", resize(NEAREST, (5, 4), (15, 12)), {NEAREST: SMALL}, [NEAREST] * 2),
    "nearest by 8 and 1": ("nearest_resize", resize(NEAREST, (3, 5), (24, 5)), {NEAREST: SMALL}, [NEAREST] * 3),
    "nearest by an odd factor": ("nearest_resize", resize(NEAREST, (7, 7), (33, 30)), {NEAREST: SMALL}, [NEAREST] * 3),
    "nearest by 2 with centers": (
        "nearest_resize", resize(NEAREST, (5, 5), (10, 10), half_pixel_centers=True), {NEAREST: SMALL}, [NEAREST],
    ),
    "leaky ReLU": ("leaky_relu", leaky(0.1), {}, ["PRELU"]),
    "leaky ReLU, steep": ("leaky_relu", leaky(1.7, scale=0.1), {}, ["PRELU"]),
    "leaky ReLU, downhill": ("leaky_relu", leaky(-0.3), {}, ["PRELU"]),
    "leaky ReLU, uint8": ("leaky_relu", leaky(0.3, dtype="uint8"), {}, ["PRELU"]),
    "leaky ReLU of a vector": ("leaky_relu", leaky(0.3, (1, 40)), {}, ["PRELU"]),
    "average pool and ReLU": (
        "unfuse_activation", pooled("AVERAGE_POOL_2D", "RELU"),
        {"AVERAGE_POOL_2D": {"fused_activation": ["NONE"]}}, ["AVERAGE_POOL_2D", "RELU"],
    ),
    "maximum pool and ReLU6": (
        "unfuse_activation", pooled("MAX_POOL_2D", "RELU6"), {"MAX_POOL_2D": {"fused_activation": ["NONE"]}},
        ["MAX_POOL_2D", "RELU6"],
    ),
    "transpose of ones": ("transpose_to_reshape", transposed((1, 6, 1, 5), (0, 2, 1, 3)), {}, ["RESHAPE"]),
    "super-resolution by 2": ("depth_to_space", shuffled(12, 2), {}, ["TRANSPOSE_CONV"]),
    "super-resolution by 3": ("depth_to_space", shuffled(9, 3), {}, ["TRANSPOSE_CONV"]),
    "every other pixel": (
        "strided_slice", sliced([0, 0, 0, 0], [1, 9, 8, 4], [1, 2, 2, 1]), {"STRIDED_SLICE": STRIDED},
        ["SLICE", "MAX_POOL_2D"],
    ),
    "every other pixel from the second": (
        "strided_slice", sliced([0, 1, 1, 0], [0, 0, 0, 0], [1, 2, 2, 1], begin_mask=9, end_mask=15),
        {"STRIDED_SLICE": STRIDED}, ["SLICE", "MAX_POOL_2D"],
    ),
    "every third row up to the last but one": (
        "strided_slice", sliced([0, -7, 0, 0], [1, -1, 8, 4], [1, 3, 1, 1], "uint8"), {"STRIDED_SLICE": STRIDED},
        ["SLICE", "MAX_POOL_2D"],
    ),
    "QUANTIZE 3": ("lower_versions", versioned("QUANTIZE", 3), {"QUANTIZE": {"max_version": 2}}, ["QUANTIZE"]),
    "FULLY_CONNECTED 9": (
        "lower_versions", versioned("FULLY_CONNECTED", 9), {"FULLY_CONNECTED": PLAIN_DENSE}, ["FULLY_CONNECTED"],
    ),
    "CONV_2D 8": ("lower_versions", versioned("CONV_2D", 8), {"CONV_2D": {"max_release": "2.5"}}, ["CONV_2D"]),
    "ADD 5": ("lower_versions", versioned("ADD", 5), {"ADD": {"max_release": "2.5"}}, ["ADD"]),
    "dense of four parts": (
        "split_dense", huge(), {"FULLY_CONNECTED": {}}, [*["FULLY_CONNECTED"] * 4, "CONCATENATION"],
    ),
    "dense of four parts, per channel, without a bias": (
        "split_dense", huge(bias=False, per_channel=True), {"FULLY_CONNECTED": {}},
        [*["FULLY_CONNECTED"] * 4, "CONCATENATION"],
    ),
}  # fmt: skip
LEFT_ALONE: dict[str, Case] = {
    "a dense layer that is accepted": (
        "dense_to_convolution", dense((1, 12), 5, per_channel=False), {"FULLY_CONNECTED": PLAIN_DENSE}, [],
    ),
    "flatten of 4 channels": ("flatten_to_convolution", flattened(5, 4, 4), {}, []),
    "a resize from two pixels": ("spread_resize", resize(BILINEAR, (2, 1), (5, 7)), {BILINEAR: SMALL}, []),
    "nearest that is accepted": ("nearest_resize", resize(NEAREST, (5, 5), (10, 10)), {NEAREST: SMALL}, []),
    "nearest between aligned corners": (
        "nearest_resize", resize(NEAREST, (5, 5), (20, 20), align_corners=True), {NEAREST: SMALL}, [],
    ),
    "nearest by 3/2 with centers": (
        "nearest_resize", resize(NEAREST, (6, 6), (9, 9), half_pixel_centers=True), {NEAREST: SMALL}, [],
    ),
    "leaky ReLU that is accepted": ("leaky_relu", leaky(0.1), {"LEAKY_RELU": {}}, []),
    "leaky ReLU of slope 0": ("leaky_relu", leaky(0.0), {}, []),
    "a pool without activation": ("unfuse_activation", pooled("MAX_POOL_2D", "NONE"), {}, []),
    "a transpose that moves values": ("transpose_to_reshape", transposed((1, 6, 1, 5), (0, 3, 2, 1)), {}, []),
    "depth to space of many channels": ("depth_to_space", shuffled(64, 2, 3), {}, []),
    "a slice backwards": (
        "strided_slice", sliced([0, 8, 0, 0], [1, 0, 8, 4], [1, -2, 1, 1]), {"STRIDED_SLICE": STRIDED}, [],
    ),
    "a slice with strides over channels": (
        "strided_slice", sliced([0, 0, 0, 0], [1, 9, 8, 4], [1, 2, 2, 2]), {"STRIDED_SLICE": STRIDED}, [],
    ),
    "a version that nobody knows": ("lower_versions", versioned("CONV_2D", 9), {"CONV_2D": {"max_release": "2.5"}}, []),
    "an operator of version 2": ("lower_versions", versioned("QUANTIZE", 2), {"QUANTIZE": {"max_version": 2}}, []),
    "a version that is needed": (
        "lower_versions", dense((1, 6), 4, per_channel=True), {"FULLY_CONNECTED": PLAIN_DENSE}, [],
    ),
    "a dense layer that fits": ("split_dense", huge(40), {"FULLY_CONNECTED": {}}, []),
    "a static batch": ("fix_batch", leaky(0.1), {}, []),
    "integer ends": ("float_ends", leaky(0.1), {}, []),
}  # fmt: skip
BOARD = {"board": {"memory_bytes": 64 * 64}}


# The two operators form their factor in different precisions; the scales here put many sums exactly between two steps.
STEPS = {"dense_to_convolution": 1, "flatten_to_convolution": 1}


@pytest.mark.parametrize("case", REWRITTEN.values(), ids=REWRITTEN.keys())
def test_a_rewrite_keeps_the_outputs(case: Case) -> None:
    name, network, operators, expected = case
    module = rewrites()[name]

    after, words = module.run(network, target(operators, **BOARD))
    tidied = apply(after, getattr(module, "UNDONE_BY", ())).network

    assert words and labels(tidied) == expected
    assert outer(tidied) == outer(network)
    assert max(differences(network, tidied)) <= STEPS.get(name, 0)


@pytest.mark.parametrize("case", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_a_rewrite_leaves_alone_what_it_is_not_for(case: Case) -> None:
    name, network, operators, _ = case

    after, words = rewrites()[name].run(network, target(operators, **BOARD))

    assert words == [] and after is network


def test_lowered_versions_are_those_that_are_needed() -> None:
    after, _ = rewrites()["lower_versions"].run(versioned("QUANTIZE", 3), target({"QUANTIZE": {"max_version": 2}}))

    assert [operator.version for operator in after.main.operators] == [1]
