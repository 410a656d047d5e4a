"""Every operator of the NNAPI delegate: one network that it takes, and one for each way in which it refuses.

Read from LiteRT's ``nnapi_delegate.cc`` at commit f674577, independently of the profile: operator, first level,
highest version, a network that is accepted at level 31 or the operator's first level, and networks that are refused
there with the rule that refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from small_networks import context, network, tensor

from edgecompile.config.profiles import load
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.legalize.judge import Judgement, judge

F, I8, U8, I32, B = "float32[1, 4, 4, 8]", "int8[1, 4, 4, 8]", "uint8[1, 4, 4, 8]", "int32[1, 4, 4, 8]", "bool[1, 4]"
FIVE, I64 = "int8[1, 1, 4, 4, 8]", "int64[1, 4, 4, 8]"
ONE = tensor("int8[8, 1, 1, 8]", 1, scales=(0.1,))
BIAS = tensor("int32[8]", 0)
DENSE = tensor("int8[2, 8]", 1, scales=(0.1,))
PER_CHANNEL = tensor("int8[2, 8]", 1, scales=(0.1, 0.2))


def const(spec: str, value: Any = 1) -> Any:
    return tensor(spec, value)


@dataclass(frozen=True, kw_only=True)
class Row:
    level: int
    version: int | None
    accepted: Network
    refused: dict[str, Network] = field(default_factory=dict)


def one(name: str, spec: str, out: str | None = None, **options: Any) -> Network:
    return network(name, [spec], [out or spec], options)


def two(name: str, left: Any, right: Any, out: str, **options: Any) -> Network:
    return network(name, [left, right], [out], options)


def unary(level: int, version: int | None, name: str, good: str = I8, bad: str | None = I64) -> Row:
    refused = {"dtypes": one(name, bad)} if bad else {}
    return Row(level=level, version=version, accepted=one(name, good), refused=refused)


def arithmetic(level: int, version: int, name: str) -> Row:
    fused = two(name, I32, I32, I32, fused_activation_function="RELU")
    return Row(
        level=level,
        version=version,
        accepted=two(name, I8, I8, I8, fused_activation_function="RELU6"),
        refused={"dtypes": two(name, I64, I64, I64), "max_rank": two(name, I8, FIVE, FIVE), "fused_activation": fused},
    )


def compare(name: str) -> Row:
    return Row(level=29, version=2, accepted=two(name, I8, I8, B), refused={"dtypes": two(name, I64, I64, B)})


def largest(name: str) -> Row:
    return Row(
        level=29,
        version=2,
        accepted=two(name, I8, const("int32[1]", 3), "int32[1, 4, 4]"),
        refused={
            "dtypes": two(name, I64, const("int32[1]", 3), "int32[1, 4, 4]"),
            "output_dtypes": two(name, I8, const("int32[1]", 3), "int64[1, 4, 4]"),
            "fits_int32": two(name, I8, const("int64[1]", 2**40), "int32[1, 4, 4]"),
        },
    )


def extreme(name: str) -> Row:
    refused = {"dtypes": two(name, I64, I64, I64), "scalars_constant": two(name, I8, "int8[]", I8)}
    return Row(level=29, version=3, accepted=two(name, I8, const("int8[]"), I8), refused=refused)


def reduce(name: str, version: int, spec: str, **refused: Network) -> Row:
    axes = const("int32[1]", 1)
    tested = {} if name == "REDUCE_ANY" else {"dtypes": two(name, I64, axes, I64)}
    return Row(level=29, version=version, accepted=two(name, spec, axes, spec), refused={**tested, **refused})


def scalar(name: str, spec: str) -> Network:
    return two(name, spec, const("int32[1]", 0), spec.split("[")[0] + "[]")


def pad(name: str, *rest: Any) -> Row:
    sizes = const("int32[4, 2]", 0)
    return Row(
        level=28,
        version=2,
        accepted=network(name, [F, sizes, *rest], [F]),
        refused={
            "dtypes": network(name, [I64, sizes, *rest], [I64]),
            "no_empty": network(name, ["int8[1, 0]", const("int32[2, 2]", 0), *rest], ["int8[1, 0]"]),
        },
    )


def resize(name: str, level: int, version: int, **refused: Network) -> Row:
    size = const("int32[2]", 8)
    computed = two(name, I8, "int32[2]", "int8[1, 8, 8, 8]")
    tested = {"dtypes": two(name, I64, size, I64), "constant_inputs": computed}
    return Row(level=level, version=version, accepted=two(name, F, size, F), refused={**tested, **refused})


def lstm(name: str, count: int, data: str, weights: str, **options: Any) -> Network:
    inputs: list[Any] = [data, None, tensor(weights, 1), *[None] * (count - 3)]
    return network(name, inputs, [data], options)


FULL = {"kernel_type": "FULL"}
CONV = network("CONV_2D", [I8, ONE, BIAS], [I8])
ROWS: dict[str, Row] = {
    "ABS": unary(29, 1, "ABS", F),
    "ADD": arithmetic(27, 2, "ADD"),
    "ARG_MAX": largest("ARG_MAX"),
    "ARG_MIN": largest("ARG_MIN"),
    "AVERAGE_POOL_2D": unary(27, 2, "AVERAGE_POOL_2D"),
    "BATCH_MATMUL": Row(
        level=1000006,
        version=2,
        accepted=two("BATCH_MATMUL", "int8[2, 4, 4]", "int8[2, 4, 3]", "int8[2, 4, 3]"),
        refused={
            "same_dtypes": two("BATCH_MATMUL", "int8[4, 4]", "int32[4, 4]", "int8[4, 4]"),
            "ranks": two("BATCH_MATMUL", FIVE, FIVE, FIVE),
            "equal_batch": two("BATCH_MATMUL", "int8[2, 4, 4]", "int8[4, 4]", "int8[2, 4, 4]"),
        },
    ),
    "BATCH_TO_SPACE_ND": Row(
        level=28,
        version=2,
        accepted=network("BATCH_TO_SPACE_ND", [I8, const("int32[2]", 2), const("int32[2, 2]", 0)], [I8]),
        refused={
            "zero_inputs": network("BATCH_TO_SPACE_ND", [I8, const("int32[2]", 2), const("int32[2, 2]", 1)], [I8]),
            "constant_inputs": network("BATCH_TO_SPACE_ND", [I8, const("int32[2]", 2), "int32[2, 2]"], [I8]),
        },
    ),
    "BIDIRECTIONAL_SEQUENCE_LSTM": Row(
        level=29,
        version=1,
        accepted=lstm("BIDIRECTIONAL_SEQUENCE_LSTM", 48, "float32[1, 4]", "float32[4, 4]"),
        refused={"no_hybrid": lstm("BIDIRECTIONAL_SEQUENCE_LSTM", 48, "float32[1, 4]", "int8[4, 4]")},
    ),
    "CAST": Row(
        level=29,
        version=1,
        accepted=one("CAST", U8, F),
        refused={"dtypes": one("CAST", I64, F), "output_dtypes": one("CAST", I8, I64)},
    ),
    "CONCATENATION": Row(
        level=27,
        version=2,
        accepted=two("CONCATENATION", I8, I8, I8, fused_activation_function="NONE"),
        refused={
            "dtypes": two("CONCATENATION", I64, I64, I64),
            "fused_activation": two("CONCATENATION", I8, I8, I8, fused_activation_function="RELU"),
            "max_rank": two("CONCATENATION", FIVE, FIVE, FIVE),
        },
    ),
    "CONV_2D": Row(
        level=27,
        version=5,
        accepted=network("CONV_2D", [F, tensor("float32[8, 1, 1, 8]", 1), tensor("float32[8]", 0)], [F]),
        refused={
            "input_counts": network("CONV_2D", [I8, ONE], [I8]),
            "dtypes": network("CONV_2D", ["int16[1, 4, 4, 8]", ONE, BIAS], ["int16[1, 4, 4, 8]"]),
        },
    ),
    "COS": unary(29, 1, "COS", F),
    "DENSIFY": Row(
        level=30,
        version=None,
        accepted=network("DENSIFY", [const("float32[4]")], ["float32[4]"]),
        refused={"constant_inputs": one("DENSIFY", F)},
    ),
    "DEPTHWISE_CONV_2D": Row(level=27, version=3, accepted=network("DEPTHWISE_CONV_2D", [U8, ONE, BIAS], [U8])),
    "DEPTH_TO_SPACE": unary(27, None, "DEPTH_TO_SPACE"),
    "DEQUANTIZE": unary(27, 2, "DEQUANTIZE", U8),
    "DIV": Row(
        level=28,
        version=1,
        accepted=two("DIV", F, F, F),
        refused={
            "dtypes": two("DIV", I8, I8, I8),
            "max_rank": two("DIV", "float32[1, 1, 1, 1, 1]", F, "float32[1, 1, 1, 1, 1]"),
        },
    ),
    "ELU": unary(30, 1, "ELU", F),
    "EMBEDDING_LOOKUP": Row(
        level=27,
        version=1,
        accepted=two("EMBEDDING_LOOKUP", "int32[2]", const("float32[4, 8]"), "float32[2, 8]"),
        refused={"input_dtypes": two("EMBEDDING_LOOKUP", "int32[2]", const("int8[4, 8]"), "int8[2, 8]")},
    ),
    "EQUAL": compare("EQUAL"),
    "EXP": unary(29, 1, "EXP", F),
    "EXPAND_DIMS": Row(
        level=29,
        version=1,
        accepted=two("EXPAND_DIMS", "int8[4]", const("int32[1]", 0), "int8[1, 4]"),
        refused={
            "constant_inputs": two("EXPAND_DIMS", "int8[4]", "int32[1]", "int8[1, 4]"),
            "input_dtypes": two("EXPAND_DIMS", "int8[4]", const("int64[1]", 0), "int8[1, 4]"),
        },
    ),
    "FILL": Row(
        level=30,
        version=1,
        accepted=two("FILL", const("int32[2]", 2), "float32[]", "float32[2, 2]"),
        refused={
            "input_dtypes": two("FILL", const("int32[2]", 2), "int8[]", "int8[2, 2]"),
            "constant_inputs": two("FILL", "int32[2]", "float32[]", "float32[2, 2]"),
            "fits_int32": two("FILL", const("int64[2]", 2**40), "float32[]", "float32[2, 2]"),
        },
    ),
    "FLOOR": unary(27, 1, "FLOOR", F, None),
    "FULLY_CONNECTED": Row(
        level=27,
        version=5,
        accepted=network(
            "FULLY_CONNECTED", [tensor("uint8[1, 8]", scales=(0.1,)), DENSE], [tensor("uint8[1, 2]", scales=(1.0,))]
        ),
        refused={
            "output_dtypes": two("FULLY_CONNECTED", "int8[1, 8]", DENSE, "int16[1, 2]"),
            "per_tensor_weights": two("FULLY_CONNECTED", "int8[1, 8]", PER_CHANNEL, "int8[1, 2]"),
        },
    ),
    "GATHER": Row(
        level=29,
        version=2,
        accepted=two("GATHER", I8, "int32[2]", I8),
        refused={
            "dtypes": two("GATHER", I64, "int32[2]", I64),
            "input_dtypes": two("GATHER", I8, "int64[2]", I8),
            "min_ranks": two("GATHER", I8, "int32[]", I8),
        },
    ),
    "GREATER": compare("GREATER"),
    "GREATER_EQUAL": compare("GREATER_EQUAL"),
    "HARD_SWISH": unary(27, None, "HARD_SWISH"),
    "HASHTABLE_LOOKUP": Row(
        level=27,
        version=1,
        accepted=one("HASHTABLE_LOOKUP", "int32[2]", "float32[2]"),
        refused={"output_dtypes": one("HASHTABLE_LOOKUP", "int32[2]", "int8[2]")},
    ),
    "L2_NORMALIZATION": Row(
        level=27,
        version=2,
        accepted=one("L2_NORMALIZATION", F),
        refused={"fused_activation": one("L2_NORMALIZATION", F, fused_activation_function="RELU")},
    ),
    "L2_POOL_2D": unary(27, 1, "L2_POOL_2D", F),
    "LEAKY_RELU": unary(29, 1, "LEAKY_RELU"),
    "LESS": compare("LESS"),
    "LESS_EQUAL": compare("LESS_EQUAL"),
    "LOCAL_RESPONSE_NORMALIZATION": unary(27, 1, "LOCAL_RESPONSE_NORMALIZATION", F, None),
    "LOG": unary(29, 1, "LOG", F),
    "LOGICAL_AND": Row(
        level=29, version=1, accepted=two("LOGICAL_AND", B, B, B), refused={"dtypes": two("LOGICAL_AND", I8, I8, I8)}
    ),
    "LOGICAL_NOT": unary(29, 1, "LOGICAL_NOT", B),
    "LOGICAL_OR": Row(
        level=29, version=1, accepted=two("LOGICAL_OR", B, B, B), refused={"dtypes": two("LOGICAL_OR", I8, I8, I8)}
    ),
    "LOGISTIC": unary(27, 2, "LOGISTIC"),
    "LOG_SOFTMAX": unary(29, 1, "LOG_SOFTMAX", F),
    "LSH_PROJECTION": Row(
        level=27,
        version=1,
        accepted=network("LSH_PROJECTION", [F, I32, F], [I32], {"type": "DENSE"}),
        refused={"options": network("LSH_PROJECTION", [F, I32], [I32], {"type": "UNKNOWN"})},
    ),
    "LSTM": Row(
        level=28,
        version=3,
        accepted=lstm("LSTM", 20, "float32[1, 4]", "float32[4, 4]", **FULL),
        refused={
            "input_counts": lstm("LSTM", 18, "float32[1, 4]", "float32[4, 4]", **FULL),
            "intermediates": lstm("LSTM", 20, "int8[1, 4]", "int8[4, 4]", **FULL),
        },
    ),
    "MAXIMUM": extreme("MAXIMUM"),
    "MAX_POOL_2D": unary(27, 2, "MAX_POOL_2D"),
    "MEAN": replace(
        reduce(
            "MEAN",
            2,
            F,
            output_min_rank=scalar("MEAN", "int8[4]"),
            max_rank=two("MEAN", FIVE, const("int32[1]", 1), FIVE),
        ),
        level=28,
    ),
    "MINIMUM": extreme("MINIMUM"),
    "MIRROR_PAD": Row(
        level=1000007,
        version=2,
        accepted=two("MIRROR_PAD", I8, const("int32[4, 2]", 0), I8),
        refused={
            "no_empty": two("MIRROR_PAD", "int8[0]", const("int32[1, 2]", 0), "int8[0]"),
            "input_counts": network("MIRROR_PAD", [I8, const("int32[4, 2]", 0), I8], [I8]),
        },
    ),
    "MUL": arithmetic(27, 3, "MUL"),
    "NEG": unary(29, 2, "NEG", F, I8),
    "NOT_EQUAL": compare("NOT_EQUAL"),
    "PACK": Row(
        level=30,
        version=2,
        accepted=two("PACK", I8, I8, "int8[2, 1, 4, 4, 8]", axis=0),
        refused={
            "dtypes": two("PACK", I64, I64, I64, axis=0),
            "axis_not_last": two("PACK", I8, I8, "int8[1, 4, 4, 8, 2]", axis=4),
        },
    ),
    "PAD": pad("PAD"),
    "PADV2": replace(pad("PADV2", const("int8[]", 0)), level=29),
    "POW": unary(29, 1, "POW", F),
    "PRELU": unary(29, 1, "PRELU"),
    "QUANTIZE": Row(
        level=29,
        version=2,
        accepted=one("QUANTIZE", F, U8),
        refused={
            "dtypes": one("QUANTIZE", "int16[4]", "int8[4]"),
            "output_dtypes": one("QUANTIZE", F, "int16[1, 4, 4, 8]"),
            "positive_scales": network("QUANTIZE", [F], [tensor(I8, scales=(0.0,))]),
        },
    ),
    "REDUCE_ANY": reduce("REDUCE_ANY", 2, B, output_min_rank=scalar("REDUCE_ANY", "bool[4]")),
    "REDUCE_MAX": reduce("REDUCE_MAX", 2, I8, min_ranks=one("REDUCE_MAX", "int8[]")),
    "REDUCE_MIN": reduce("REDUCE_MIN", 2, I8, min_ranks=one("REDUCE_MIN", "int8[]")),
    "REDUCE_PROD": reduce("REDUCE_PROD", 1, F, output_min_rank=scalar("REDUCE_PROD", "float32[4]")),
    "RELU": unary(27, 2, "RELU"),
    "RELU6": unary(27, 2, "RELU6"),
    "RELU_N1_TO_1": unary(27, 2, "RELU_N1_TO_1"),
    "RESHAPE": Row(
        level=27,
        version=1,
        accepted=two("RESHAPE", I8, const("int32[2]"), "int8[1, 128]"),
        refused={
            "dtypes": two("RESHAPE", I32, const("int32[2]"), "int32[1, 128]"),
            "max_rank": two("RESHAPE", FIVE, const("int32[2]"), "int8[1, 128]"),
            "output_max_rank": two("RESHAPE", I8, const("int32[5]"), FIVE),
            "constant_inputs": two("RESHAPE", I8, "int32[2]", "int8[1, 128]"),
            "output_min_rank": one("RESHAPE", "int8[1]", "int8[]"),
        },
    ),
    "RESIZE_BILINEAR": resize(
        "RESIZE_BILINEAR", 27, 3, ranks=two("RESIZE_BILINEAR", "int8[1, 4, 8]", const("int32[2]", 8), "int8[1, 8, 8]")
    ),
    "RESIZE_NEAREST_NEIGHBOR": resize("RESIZE_NEAREST_NEIGHBOR", 29, 3),
    "REVERSE_V2": Row(
        level=1000007,
        version=3,
        accepted=two("REVERSE_V2", I8, const("int32[1]", 1), I8),
        refused={
            "dtypes": two("REVERSE_V2", I64, const("int32[1]", 1), I64),
            "input_counts": one("REVERSE_V2", I8),
        },
    ),
    "RNN": Row(
        level=27,
        version=1,
        accepted=network("RNN", [F, const("float32[4, 4]"), F, F, F], [F]),
        refused={
            "input_counts": network("RNN", [F, const("float32[4, 4]"), F, F], [F]),
            "input_dtypes": network("RNN", [F, const("int8[4, 4]"), F, F, F], [F]),
        },
    ),
    "RSQRT": unary(29, 2, "RSQRT", F, I8),
    "SELECT": Row(
        level=29,
        version=2,
        accepted=network("SELECT", ["bool[4]", "int8[4]", "int8[4]"], ["int8[4]"]),
        refused={
            "dtypes": network("SELECT", ["bool[4]", "int64[4]", "int64[4]"], ["int64[4]"]),
            "same_shapes": network("SELECT", ["bool[1]", "int8[4]", "int8[4]"], ["int8[4]"]),
        },
    ),
    "SIN": unary(29, 1, "SIN", F),
    "SLICE": Row(
        level=29,
        version=2,
        accepted=network("SLICE", ["int8[4]", "int32[1]", "int32[1]"], ["int8[2]"]),
        refused={
            "dtypes": network("SLICE", ["int64[4]", "int32[1]", "int32[1]"], ["int64[2]"]),
            "input_dtypes": network("SLICE", ["int8[4]", "int64[1]", "int64[1]"], ["int8[2]"]),
        },
    ),
    "SOFTMAX": Row(
        level=27,
        version=2,
        accepted=one("SOFTMAX", "int8[1, 8]"),
        refused={
            "dtypes": one("SOFTMAX", I64),
            "output_dtypes": one("SOFTMAX", I8, "int16[1, 4, 4, 8]"),
            "max_rank": one("SOFTMAX", FIVE),
        },
    ),
    "SPACE_TO_BATCH_ND": unary(28, 2, "SPACE_TO_BATCH_ND", I8, None),
    "SPACE_TO_DEPTH": unary(27, 2, "SPACE_TO_DEPTH"),
    "SPLIT": Row(
        level=29,
        version=3,
        accepted=two("SPLIT", const("int32[]", 3), U8, U8),
        refused={
            "dtypes": two("SPLIT", const("int32[]", 3), I64, I64),
            "constant_inputs": two("SPLIT", "int32[]", I8, I8),
            "input_dtypes": two("SPLIT", const("int64[]", 3), I8, I8),
        },
    ),
    "SPLIT_V": Row(
        level=30,
        version=2,
        accepted=network("SPLIT_V", [I8, const("int32[2]", 4), const("int32[]", 3)], [I8, I8]),
        refused={
            "dtypes": network("SPLIT_V", [I64, const("int32[2]", 4), const("int32[]", 3)], [I64]),
            "constant_inputs": network("SPLIT_V", [I8, "int32[2]", const("int32[]", 3)], [I8]),
            "input_dtypes": network("SPLIT_V", [I8, const("int64[2]", 4), const("int32[]", 3)], [I8]),
            "nonzero_inputs": network("SPLIT_V", [I8, const("int32[2]", [0, 8]), const("int32[]", 3)], [I8]),
        },
    ),
    "SQRT": unary(29, 1, "SQRT", F),
    "SQUARED_DIFFERENCE": Row(
        level=28,
        version=2,
        accepted=two("SQUARED_DIFFERENCE", F, F, F),
        refused={
            "dtypes": two("SQUARED_DIFFERENCE", I64, I64, I64),
            "max_rank": two("SQUARED_DIFFERENCE", I8, FIVE, FIVE),
        },
    ),
    "SQUEEZE": Row(level=28, version=1, accepted=one("SQUEEZE", I8, squeeze_dims=(0,))),
    "STRIDED_SLICE": unary(28, 2, "STRIDED_SLICE"),
    "SUB": replace(arithmetic(28, 3, "SUB"), accepted=two("SUB", F, F, F)),
    "SUM": reduce("SUM", 1, F, output_min_rank=scalar("SUM", "float32[4]")),
    "SVDF": Row(
        level=28,
        version=1,
        accepted=network("SVDF", [F, const("float32[4, 4]"), F, None, F], [F]),
        refused={
            "input_counts": network("SVDF", [F, const("float32[4, 4]"), F], [F]),
            "input_dtypes": network("SVDF", [I8, const("int8[4, 4]"), F, None, F], [I8]),
        },
    ),
    "TANH": unary(27, 2, "TANH", F),
    "TILE": Row(
        level=29,
        version=1,
        accepted=two("TILE", I8, "int32[4]", I8),
        refused={"dtypes": two("TILE", I64, "int32[4]", I64), "input_dtypes": two("TILE", I8, "int64[4]", I8)},
    ),
    "TOPK_V2": Row(
        level=29,
        version=2,
        accepted=two("TOPK_V2", I8, const("int32[]", 3), I8),
        refused={
            "dtypes": two("TOPK_V2", I64, const("int32[]", 3), I64),
            "constant_inputs": two("TOPK_V2", I8, "int32[]", I8),
            "input_dtypes": two("TOPK_V2", I8, const("int64[]", 3), I8),
        },
    ),
    "TRANSPOSE": Row(
        level=28,
        version=2,
        accepted=two("TRANSPOSE", I8, const("int32[4]", [0, 2, 1, 3]), I8),
        refused={"constant_inputs": two("TRANSPOSE", I8, "int32[4]", I8)},
    ),
    "TRANSPOSE_CONV": Row(
        level=29,
        version=4,
        accepted=network("TRANSPOSE_CONV", [const("int32[4]"), ONE, I8], [I8]),
        refused={"constant_inputs": network("TRANSPOSE_CONV", ["int32[4]", ONE, I8], [I8])},
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Row(
        level=29,
        version=2,
        accepted=lstm("UNIDIRECTIONAL_SEQUENCE_LSTM", 24, "float32[1, 4]", "float32[4, 4]"),
        refused={
            "no_hybrid": lstm("UNIDIRECTIONAL_SEQUENCE_LSTM", 24, "float32[1, 4]", "int8[4, 4]"),
            "input_counts": lstm("UNIDIRECTIONAL_SEQUENCE_LSTM", 21, "float32[1, 4]", "float32[4, 4]"),
        },
    ),
    "UNIDIRECTIONAL_SEQUENCE_RNN": Row(
        level=29,
        version=1,
        accepted=two("UNIDIRECTIONAL_SEQUENCE_RNN", F, const("float32[4, 4]"), F),
        refused={"no_hybrid": two("UNIDIRECTIONAL_SEQUENCE_RNN", F, const("int8[4, 4]"), F)},
    ),
    "UNPACK": Row(
        level=30,
        version=2,
        accepted=one("UNPACK", I8, axis=0),
        refused={
            "dtypes": one("UNPACK", I64, axis=0),
            "ranks": one("UNPACK", FIVE, axis=0),
            "axis_not_last": one("UNPACK", I8, axis=3),
        },
    ),
}
REFUSED = [(name, rule) for name, row in ROWS.items() for rule in row.refused]


@cache
def nnapi(level: int) -> Target:
    return replace(load("android-nnapi"), level=level)


def judged(found: Network, level: int, version: int | None = None) -> Judgement:
    if version is not None:
        operator = replace(found.main.operators[0], version=version)
        found = replace(found, subgraphs=(replace(found.main, operators=(operator,)),))
    return judge(context(found, nnapi(level)))


def rules_of(judgement: Judgement) -> set[str]:
    return {failure.rule for failure in judgement.failures}


def test_the_table_and_the_profile_name_the_same_94_operators() -> None:
    assert len(ROWS) == 94
    assert set(ROWS) == set(load("android-nnapi").operators)


@pytest.mark.parametrize("name", ROWS)
def test_an_operator_is_accepted_from_its_first_level(name: str) -> None:
    row = ROWS[name]

    assert judged(row.accepted, row.level).accepted
    assert judged(row.accepted, max(row.level, 31)).accepted
    assert row.level == 27 or "min_level" in rules_of(judged(row.accepted, row.level - 1))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.version is not None])
def test_the_highest_version_is_accepted_and_the_next_refused(name: str) -> None:
    row = ROWS[name]
    level = max(row.level, 31)

    assert judged(row.accepted, level, row.version).accepted
    assert rules_of(judged(row.accepted, level, (row.version or 0) + 1)) == {"max_version"}


@pytest.mark.parametrize(("name", "rule"), REFUSED, ids=[f"{name}-{rule}" for name, rule in REFUSED])
def test_what_the_delegate_refuses_is_refused_for_its_reason(name: str, rule: str) -> None:
    row = ROWS[name]

    assert rule in rules_of(judged(row.refused[rule], max(row.level, 31)))


HALF_PIXEL = two("RESIZE_BILINEAR", F, const("int32[2]", 8), "float32[1, 8, 8, 8]", half_pixel_centers=True)
CORNERS = two("RESIZE_NEAREST_NEIGHBOR", I8, const("int32[2]", 8), "int8[1, 8, 8, 8]", align_corners=True)
WINDOW = one("AVERAGE_POOL_2D", I8, filter_height=20, filter_width=20)
DILATED = network("DEPTHWISE_CONV_2D", [U8, ONE, BIAS], [U8], {"dilation_h_factor": 2, "dilation_w_factor": 2})
SHIFTED = network("DEQUANTIZE", [tensor(I8, scales=(0.1,), zero=3)], [F])
NARROW = network(
    "CONV_2D",
    [tensor(U8, scales=(1.0,)), tensor("uint8[8, 1, 1, 8]", 1, scales=(1.0,)), BIAS],
    [tensor(U8, scales=(0.5,))],
)
MIXED = two("CONCATENATION", tensor(U8, scales=(0.5,)), tensor(U8, scales=(0.25,)), U8)
HYBRID = network("CONV_2D", [F, ONE, BIAS], [F])
GROUPED = network("CONV_2D", [F, tensor("float32[8, 1, 1, 4]", 1), tensor("float32[8]", 0)], [F])
KEPT = two("FULLY_CONNECTED", "float32[1, 8]", const("float32[2, 8]"), "float32[1, 2]", keep_num_dims=True)
LEVELS = {
    # name: network, the level at which it becomes legal, the rule that refuses it one level below
    "half pixel centers": (HALF_PIXEL, 30, "options"),
    "aligned corners": (CORNERS, 30, "options"),
    "not square": (two("RESIZE_BILINEAR", F, const("int32[2]", 8), "float32[1, 4, 8, 8]"), 29, "square_output"),
    "large quantized window": (WINDOW, 29, "max_window"),
    "dilated depthwise": (DILATED, 29, "max_dilation"),
    "dilated conv": (replace(CONV, subgraphs=DILATED.subgraphs), 29, "max_dilation"),
    "int8 with a zero point": (SHIFTED, 30, "symmetric"),
    "narrow output": (NARROW, 29, "restricted_scales"),
    "mixed scales": (MIXED, 29, "same_scale"),
    "hybrid conv": (HYBRID, 29, "no_hybrid"),
    "grouped conv": (GROUPED, 29, "no_groups"),
    "kept dimensions": (KEPT, 30, "options"),
    "integer add": (two("ADD", I32, I32, I32), 30, "dtypes"),
    "int8 split": (two("SPLIT", const("int32[]", 3), I8, I8), 30, "dtypes"),
    "int8 tanh": (one("TANH", I8), 29, "dtypes"),
    "integer reshape": (two("RESHAPE", I32, const("int32[2]"), "int32[1, 128]"), 1000006, "dtypes"),
    "int8 rsqrt": (one("RSQRT", I8), 1000007, "dtypes"),
    "explicit pad value": (pad("PADV2", const("float32[]", 0)).accepted, 29, "min_level"),
    "softmax of rank 3": (one("SOFTMAX", "int8[1, 4, 8]"), 29, "ranks"),
    "normalization of rank 2": (one("L2_NORMALIZATION", "float32[1, 8]"), 29, "ranks"),
    "pool with an activation": (one("L2_POOL_2D", F, fused_activation_function="RELU"), 29, "fused_activation"),
    "squeeze without axes": (one("SQUEEZE", F, squeeze_dims=()), 29, "options_given"),
    "int8 quantize": (one("QUANTIZE", F, I8), 30, "output_dtypes"),
    "half floats at run time": (one("DEQUANTIZE", "float16[4]", "float32[4]"), 30, "constant_inputs"),
    "sparse projection": (network("LSH_PROJECTION", [F, I32], [I32], {"type": "SPARSE"}), 29, "options"),
    "24 LSTM inputs": (lstm("LSTM", 24, "float32[1, 4]", "float32[4, 4]", **FULL), 29, "input_counts"),
    "int8 LSTM weights": (lstm("LSTM", 20, "float32[1, 4]", "int8[4, 4]", **FULL), 30, "input_dtypes"),
    "stack along the last axis": (two("PACK", I8, I8, "int8[1, 4, 4, 8, 2]", axis=4), 1000006, "axis_not_last"),
}


@pytest.mark.parametrize(("found", "level", "rule"), LEVELS.values(), ids=LEVELS)
def test_newer_levels_take_more(found: Network, level: int, rule: str) -> None:
    before = 31 if level > 31 else level - 1

    assert judged(found, level).accepted
    assert rule in rules_of(judged(found, before))


def test_version_3_of_mul_needs_the_level_from_which_a_device_is_selected() -> None:
    version_3 = network("MUL", [I8, I8], [I8], version=3)

    assert judged(version_3, 29).accepted
    assert rules_of(judged(version_3, 28)) == {"max_version"}


@pytest.mark.parametrize("level", [27, 30, 31])
def test_constant_half_floats_are_folded(level: int) -> None:
    folded = network("DEQUANTIZE", [const("float16[4]")], ["float32[4]"], version=3)

    assert judged(folded, level).accepted


@pytest.mark.parametrize("level", [27, 31])
def test_weights_of_more_than_one_scale_are_refused_by_the_runtime(level: int) -> None:
    dense = two("FULLY_CONNECTED", "uint8[1, 8]", PER_CHANNEL, "uint8[1, 2]")

    assert "per_tensor_weights" in rules_of(judged(dense, level))


def test_unknown_sizes_are_refused() -> None:
    assert "static_shapes" in rules_of(judged(one("RELU", "int8[1, -1, 8]"), 30))
