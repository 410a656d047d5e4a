"""Cases of the rules of Android's delegates: rule, limit, a network accepted, one refused, and what is found in it."""

from __future__ import annotations

from typing import Any

from small_networks import network, of_operators, tensor

from edgecompile.ir.network import Network, Operator

I8, F32 = "int8[1, 4, 4, 8]", "float32[1, 4, 4, 8]"
WEIGHTS = tensor("float32[16, 3, 3, 8]", 1)
BIAS = tensor("float32[16]", 0)


def conv(*inputs: Any, out: str = "float32[1, 4, 4, 16]", **options: Any) -> Network:
    return network("CONV_2D", list(inputs), [out], options)


def two(left: Any, right: Any, out: Any = F32, name: str = "ADD", **options: Any) -> Network:
    return network(name, [left, right], [out], options)


def one(name: str, spec: Any, out: Any, **options: Any) -> Network:
    return network(name, [spec], [out], options)


def scaled(read: float, written: float, name: str = "ADD", **options: Any) -> Network:
    inputs = [tensor(I8, scales=(read,))] * (1 if name in ("QUANTIZE", "LEAKY_RELU") else 2)
    return network(name, inputs, [tensor(I8, scales=(written,))], options)


def weighted(scales: tuple[float, ...], zero: int = 0, axis: int = 0) -> Network:
    from dataclasses import replace

    weights = tensor("int8[2, 8]", 1, scales=scales, zero=zero)
    assert weights.quantization is not None
    weights = replace(weights, quantization=replace(weights.quantization, axis=axis))
    return network("FULLY_CONNECTED", ["int8[1, 8]", weights], ["int8[1, 2]"])


def slice_to(last: int, first: int = 0) -> Network:
    begin, end = tensor("int32[2]", [0, first]), tensor("int32[2]", [4, last])
    return network("STRIDED_SLICE", ["int8[4, 8]", begin, end, tensor("int32[2]", 1)], ["int8[4, 4]"], {})


def unpacked(reader: str) -> Network:
    tensors = [tensor("float16[4]", 1), tensor("float32[4]"), tensor("float32[4]"), tensor("float32[4]")]
    before = Operator(name="DEQUANTIZE", inputs=(0,), outputs=(1,))
    return of_operators(tensors, [before, Operator(name=reader, inputs=(2, 1), outputs=(3,))])


POOL = {"filter_height": 2, "filter_width": 2}

DELEGATE_CASES: list[tuple[str, Any, Network, Network, str]] = [
    ("runtime_inputs", [1], conv(F32, WEIGHTS, BIAS), conv(F32, "float32[16, 3, 3, 8]", BIAS), "2 of 3 inputs"),
    (
        "output_counts",
        [1],
        one("RELU", F32, F32),
        network("SPLIT", [tensor("int32[]", 3), I8], ["int8[1, 4, 4, 4]", "int8[1, 4, 4, 4]"]),
        "2",
    ),
    ("given_inputs", [2], conv(F32, WEIGHTS, BIAS), conv(F32, WEIGHTS, None), "input 2 is left out"),
    ("runtime_dtypes", ["int8"], two(I8, tensor("int32[1]", 1), I8), two(I8, "int32[1]", I8), "input 1 is int32"),
    ("computes_in", ["float32"], one("RELU", F32, F32), one("RELU", I8, I8), "int8"),
    ("input_ranks", {"0": [4]}, one("RELU", F32, F32), one("RELU", "int8[4]", "int8[4]"), "input 0 is int8[4]"),
    ("output_ranks", [4], one("RELU", F32, F32), one("RELU", F32, "float32[128]"), "float32[128]"),
    ("max_ranks", 4, one("RELU", F32, F32), one("RELU", F32, "int8[1, 1, 1, 1, 2]"), "int8[1, 1, 1, 1, 2]"),
    ("positive_steps", True, conv(F32, stride_h=2), conv(F32, stride_h=0), "`stride_h` is 0"),
    (
        "positive_values",
        [1],
        two(I8, tensor("int32[2]", [1, 2])),
        two(I8, tensor("int32[2]", [1, -1])),
        "input 1 is [1, -1]",
    ),
    (
        "non_negative_values",
        [1],
        two(I8, tensor("int32[2]", [0, 2])),
        two(I8, tensor("int32[2]", [0, -1])),
        "input 1 is [0, -1]",
    ),
    (
        "folded_with_readers",
        True,
        one("DEQUANTIZE", "float16[4]", "float32[4]"),
        unpacked("SVDF"),
        "operator 1, `SVDF`, reads it",
    ),
    (
        "depthwise_channels",
        True,
        network("DEPTHWISE_CONV_2D", [F32, "float32[1, 3, 3, 8]"], [F32], {"depth_multiplier": 1}),
        network("DEPTHWISE_CONV_2D", [F32, "float32[1, 3, 3, 16]"], ["float32[1, 4, 4, 16]"], {"depth_multiplier": 2}),
        "8 channels, multiplier 2, 16 output channels",
    ),
    (
        "channels_divide",
        True,
        conv(F32, tensor("float32[16, 3, 3, 4]", 1)),
        conv(F32, tensor("float32[16, 3, 3, 9]", 1)),
        "8 and 9 channels",
    ),
    (
        "kept_ranks",
        True,
        one("FULLY_CONNECTED", "int8[2, 3, 4]", "int8[2, 3, 5]", keep_num_dims=True),
        one("FULLY_CONNECTED", "int8[2, 3, 4]", "int8[6, 5]", keep_num_dims=True),
        "int8[2, 3, 4] -> int8[6, 5]",
    ),
    (
        "plain_broadcast",
        True,
        two(F32, "float32[4, 4, 8]"),
        two(F32, "float32[4, 8]"),
        "float32[1, 4, 4, 8] and float32[4, 8]",
    ),
    (
        "pad_rows",
        [3, 4],
        two(F32, tensor("int32[4, 2]", 0), name="PAD"),
        two("int8[1, 4]", tensor("int32[2, 2]", 0), name="PAD"),
        "paddings of shape [2, 2]",
    ),
    (
        "min_block",
        2,
        one("DEPTH_TO_SPACE", F32, F32, block_size=2),
        one("DEPTH_TO_SPACE", F32, F32, block_size=1),
        "1",
    ),
    (
        "block_divides",
        True,
        one("SPACE_TO_DEPTH", F32, F32, block_size=2),
        one("SPACE_TO_DEPTH", F32, F32, block_size=3),
        "block 3, float32[1, 4, 4, 8]",
    ),
    (
        "pool_strides",
        True,
        one("MAX_POOL_2D", F32, F32, stride_h=2, stride_w=2, **POOL),
        one("MAX_POOL_2D", F32, F32, stride_h=3, stride_w=2, **POOL),
        "window 2 x 2, strides 3 x 2",
    ),
    (
        "select_branches",
        True,
        network("SELECT_V2", ["bool[1, 4]", "float32[1, 4]", "float32[]"], ["float32[1, 4]"]),
        network("SELECT_V2", ["bool[2, 4]", "float32[2, 4]", "float32[4]"], ["float32[2, 4]"]),
        "input 2 is float32[4], output float32[2, 4]",
    ),
    (
        "single_before_last",
        True,
        one("ONE_HOT", "int32[1, 1, 3]", F32),
        one("ONE_HOT", "int32[1, 2, 3]", F32),
        "int32[1, 2, 3]",
    ),
    ("within_extent", True, slice_to(8), slice_to(9), "0:9 along axis 1 of int8[4, 8]"),
    (
        "per_tensor_activations",
        True,
        one("RELU", tensor(I8, scales=(0.1,)), tensor(I8, scales=(0.1,))),
        one("RELU", tensor(I8, scales=(0.1, 0.2)), tensor(I8, scales=(0.1,))),
        "int8[1, 4, 4, 8] with 2 scales",
    ),
    ("weights_axis", 0, weighted((0.1, 0.2)), weighted((0.1, 0.2), axis=1), "axis 1"),
    ("symmetric_weights", True, weighted((0.1, 0.2)), weighted((0.1, 0.2), zero=3), "zero point 3"),
    ("normal_scales", True, weighted((0.1,)), weighted((1e-40,)), "1e-40"),
    ("input_output_scales", [0.01, 10.0], scaled(0.1, 0.1), scaled(0.1, 0.001), "0.1 / 0.001 = 100"),
    ("product_scales", [0.01, 10.0], scaled(0.1, 0.1, "MUL"), scaled(0.1, 0.0001, "MUL"), "0.1 * 0.1 / 0.0001 = 100"),
    (
        "leaky_scales",
        [0.01, 10.0],
        scaled(0.1, 0.1, "LEAKY_RELU", alpha=0.1),
        scaled(0.1, 0.1, "LEAKY_RELU", alpha=0.001),
        "0.001 * 0.1 / 0.1 = 0.001",
    ),
    ("nonzero_alpha", True, one("LEAKY_RELU", F32, F32, alpha=0.1), one("LEAKY_RELU", F32, F32), "a slope of 0"),
    ("same_io_scale", ["int8"], scaled(0.1, 0.1), scaled(0.1, 0.2), "scales 0.1 and 0.2"),
]
