"""Every rule accepts what its sentence allows and says what it found otherwise."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from delegate_rule_cases import DELEGATE_CASES
from small_networks import context, device, network, of_operators, tensor

from edgecompile.config.clauses import RULES as WORDS
from edgecompile.ir.network import Network, Operator
from edgecompile.legalize.rules import RULES, remedy, sentence

I8, F32 = "int8[1, 4, 4, 8]", "float32[1, 4, 4, 8]"
WEIGHTS = tensor("int8[16, 3, 3, 8]", 1, scales=(0.1,))
PER_CHANNEL = tensor("int8[2, 8]", 1, scales=(0.1, 0.2))


def unary(spec: str, out: str | None = None, **options: Any) -> Network:
    return network("RELU", [spec], [out or spec], options)


def with_axes(name: str, spec: str, axes: list[int]) -> Network:
    return network(name, [spec, tensor(f"int32[{len(axes)}]", axes)], [spec])


def scaled(read: float, weights: float, written: float, dtype: str = "uint8") -> Network:
    return network(
        "CONV_2D",
        [tensor("uint8[1, 4, 4, 8]", scales=(read,)), tensor(f"{dtype}[8, 1, 1, 8]", 1, scales=(weights,))],
        [tensor("uint8[1, 4, 4, 8]", scales=(written,))],
    )


def basic_lstm(scale: float, zero: int) -> Network:
    io = tensor("uint8[1, 4]", scales=(scale,), zero=zero)
    good = tensor("uint8[1, 4]", scales=(1 / 128,), zero=128)
    state = tensor("int16[1, 4]", scales=(16 / 32768,))
    return network("LSTM", [io, "uint8[1, 4]", "uint8[16, 8]", "int32[16]", state], [good])


def pads(*sizes: int) -> Network:
    around = [[size, size] for size in sizes]
    return network("PAD", ["int8[1, 4, 4, 8]", tensor(f"int32[{len(sizes)}, 2]", around)], ["int8[1, 4, 4, 8]"])


def sliced(strides: Any) -> Network:
    given = tensor("int32[2]", strides) if strides is not None else "int32[2]"
    return network("STRIDED_SLICE", ["int8[4, 4]", "int32[2]", "int32[2]", given], ["int8[2, 2]"])


def joined(*inputs: Any) -> Network:
    return network("CONCATENATION", list(inputs), ["int8[1, 8]"])


def folded(name: str) -> Network:
    """A multiplication by a constant that passes through an operator first."""
    tensors = [tensor("float16[4]", 1), tensor("float32[4]"), tensor("float32[4]"), tensor("float32[4]")]
    before = Operator(name=name, inputs=(0,), outputs=(1,))
    return of_operators(tensors, [Operator(name="MUL", inputs=(2, 1), outputs=(3,)), before])


def lstm_with(count: int) -> Network:
    plain = network("LSTM", [I8], [I8])
    operator = replace(plain.main.operators[0], raw=SimpleNamespace(intermediates=list(range(count))))
    return replace(plain, subgraphs=(replace(plain.main, operators=(operator,)),))


CASES: list[tuple[str, Any, Network, Network, str]] = [
    # rule, limit, accepted, refused, what is found in the refused
    ("dtypes", ["int8"], unary(I8), unary(F32), "float32"),
    (
        "dtypes",
        ["int8"],
        network("SPLIT", ["int32[1]", I8], [I8]),
        network("SPLIT", ["int32[1]", F32], [F32]),
        "float32",
    ),
    ("activation_dtypes", ["int8"], unary(I8), unary(I8, F32), "float32"),
    (
        "input_dtypes",
        {"1": ["int32"]},
        network("GATHER", [I8, "int32[2]"], [I8]),
        network("GATHER", [I8, "int64[2]"], [I8]),
        "input 1 is int64",
    ),
    ("output_dtypes", ["int32"], unary(I8, "int32[1]"), unary(I8, "int64[1]"), "int64"),
    (
        "same_dtypes",
        [0, 1],
        network("BATCH_MATMUL", [I8, I8], [I8]),
        network("BATCH_MATMUL", [I8, F32], [F32]),
        "int8 and float32",
    ),
    (
        "no_hybrid",
        True,
        network("CONV_2D", [I8, WEIGHTS], [I8]),
        network("CONV_2D", [F32, WEIGHTS], [F32]),
        "float32 input with int8 weights",
    ),
    (
        "per_tensor_weights",
        True,
        network("FULLY_CONNECTED", ["int8[1, 8]", tensor("int8[2, 8]", 1, scales=(0.1,))], ["int8[1, 2]"]),
        network("FULLY_CONNECTED", ["int8[1, 8]", PER_CHANNEL], ["int8[1, 2]"]),
        "2 scales, one per channel",
    ),
    (
        "positive_scales",
        True,
        network("QUANTIZE", [F32], [tensor(I8, scales=(0.5,))]),
        network("QUANTIZE", [F32], [tensor(I8, scales=(0.0,))]),
        "0",
    ),
    ("restricted_scales", True, scaled(0.5, 0.5, 0.5), scaled(0.5, 0.5, 0.25), "0.5 * 0.5 = 0.25, output 0.25"),
    (
        "same_scale",
        True,
        joined(tensor("uint8[1, 4]", scales=(0.5,)), tensor("uint8[1, 4]", scales=(0.5,))),
        joined(tensor("uint8[1, 4]", scales=(0.5,)), tensor("uint8[1, 4]", scales=(0.25,))),
        "2 different quantizations",
    ),
    (
        "symmetric",
        True,
        network("DEQUANTIZE", [tensor(I8, scales=(0.5,))], [F32]),
        network("DEQUANTIZE", [tensor(I8, scales=(0.5,), zero=-128)], [F32]),
        "zero point -128",
    ),
    (
        "basic_lstm_scales",
        True,
        basic_lstm(1 / 128, 128),
        basic_lstm(1 / 64, 128),
        "scale 0.015625, zero point 128",
    ),
    ("static_shapes", True, unary("int8[-1, 4, 4, 8]"), unary("int8[1, -1, 4, 8]"), "int8[1, ?, 4, 8]"),
    ("max_rank", 4, unary(I8), unary("int8[1, 1, 4, 4, 8]"), "int8[1, 1, 4, 4, 8]"),
    ("output_max_rank", 2, unary(I8, "int8[1, 128]"), unary(I8, I8), I8),
    ("output_min_rank", 1, unary(I8, "int8[1]"), unary(I8, "int8[]"), "int8[]"),
    (
        "min_ranks",
        {"1": 1},
        network("GATHER", [I8, "int32[1]"], [I8]),
        network("GATHER", [I8, "int32[]"], [I8]),
        "input 1 is int32[]",
    ),
    ("ranks", [2, 4], unary(I8), unary("int8[1, 4, 8]"), "int8[1, 4, 8]"),
    ("innermost_dims", 3, unary("int8[1, 4, 4, 8]"), unary("int8[2, 4, 4, 8]"), "int8[2, 4, 4, 8]"),
    ("innermost_dims", 1, unary("int8[1, 1, 1, 8]"), unary("int8[1, 1, 4, 8]"), "int8[1, 1, 4, 8]"),
    ("innermost_dims", 3, unary("int8[17, 2]"), unary("int8[2, 1, 1, 1, 17, 2]"), "int8[2, 1, 1, 1, 17, 2]"),
    ("output_innermost_dims", 1, unary("int8[1, 4, 4, 8]", "int8[1, 128]"), unary(I8, "int8[16, 8]"), "int8[16, 8]"),
    (
        "max_tile_bytes",
        640,
        unary("int8[1, 4, 4, 8]", "int8[1, 8, 8, 8]"),
        unary("int8[1, 4, 4, 8]", "int8[1, 12, 12, 8]"),
        "1280 bytes, int8[1, 4, 4, 8] -> int8[1, 12, 12, 8]",
    ),
    ("max_elements", 16000, unary("int8[1, 16000]"), unary("int8[1, 16001]"), "16001 in int8[1, 16001]"),
    ("no_empty", True, unary(I8), unary("int8[1, 0]"), "int8[1, 0]"),
    (
        "same_shapes",
        [0, 1],
        network("SELECT", ["bool[1, 4]", "int8[1, 4]"], ["int8[1, 4]"]),
        network("SELECT", ["bool[1, 1]", "int8[1, 4]"], ["int8[1, 4]"]),
        "bool[1, 1] and int8[1, 4]",
    ),
    (
        "equal_batch",
        True,
        network("BATCH_MATMUL", ["int8[2, 4, 4]", "int8[2, 4, 3]"], ["int8[2, 4, 3]"]),
        network("BATCH_MATMUL", ["int8[2, 4, 4]", "int8[1, 4, 3]"], ["int8[2, 4, 3]"]),
        "int8[2, 4, 4] and int8[1, 4, 3]",
    ),
    ("square_output", True, unary(I8), unary(I8, "int8[1, 4, 8, 8]"), "int8[1, 4, 8, 8]"),
    (
        "alpha_dims",
        1,
        network("PRELU", [I8, tensor("int8[1, 1, 8]", 1)], [I8]),
        network("PRELU", [I8, tensor("int8[4, 4, 8]", 1)], [I8]),
        "slopes of shape [4, 4, 8]",
    ),
    (
        "max_resize",
        2,
        unary("int8[1, 4, 4, 8]", "int8[1, 8, 8, 8]"),
        unary("int8[1, 4, 4, 8]", "int8[1, 4, 12, 8]"),
        "3 times, int8[1, 4, 4, 8] -> int8[1, 4, 12, 8]",
    ),
    (
        "resize_factors",
        [2, 4],
        unary("int8[1, 4, 4, 8]", "int8[1, 16, 16, 8]"),
        unary("int8[1, 4, 4, 8]", "int8[1, 12, 12, 8]"),
        "int8[1, 4, 4, 8] -> int8[1, 12, 12, 8]",
    ),
    (
        "resize_factors",
        [2],
        unary("int8[1, 3, 3, 8]", "int8[1, 5, 5, 8]", align_corners=True),
        unary("int8[1, 3, 3, 8]", "int8[1, 5, 5, 8]", align_corners=False),
        "int8[1, 3, 3, 8] -> int8[1, 5, 5, 8]",
    ),
    (
        "resize_factors",
        [2],
        unary("int8[1, 1, 1, 8]", "int8[1, 7, 5, 8]"),
        unary("int8[1, 4, 4, 8]", "int8[1, 8, 4, 8]"),
        "int8[1, 4, 4, 8] -> int8[1, 8, 4, 8]",
    ),
    ("max_release", "2.5", network("CONV_2D", [I8], [I8], version=5), network("CONV_2D", [I8], [I8], version=6), "6"),
    ("max_release", "2.5", network("RESHAPE", [I8], [I8]), network("RESHAPE", [I8], [I8], version=2), "2"),
    ("max_release", "2.5", network("SUM", [I8], [I8], version=2), network("SUM", [I8], [I8], version=3), "3"),
    ("max_release", "2.5", network("CUSTOM", [I8], [I8], custom="Own", version=9), network("GELU", [I8], [I8]), "1"),
    ("max_version", 2, network("MUL", [I8], [I8], version=2), network("MUL", [I8], [I8], version=3), "3"),
    (
        "fused_activation",
        ["NONE"],
        unary(I8, fused_activation_function="NONE"),
        unary(I8, fused_activation_function="RELU6"),
        "RELU6",
    ),
    (
        "options",
        {"half_pixel_centers": [False]},
        unary(I8, half_pixel_centers=False),
        unary(I8, half_pixel_centers=True),
        "`half_pixel_centers` is true",
    ),
    ("options", {"new_axis_mask": [0]}, unary(I8, new_axis_mask=0), unary(I8, new_axis_mask=2), "`new_axis_mask` is 2"),
    (
        "options_given",
        ["squeeze_dims"],
        unary(I8, squeeze_dims=(0,)),
        unary(I8, squeeze_dims=()),
        "`squeeze_dims` is empty",
    ),
    ("max_dilation", 1, unary(I8), unary(I8, dilation_h_factor=2, dilation_w_factor=1), "2 x 1"),
    (
        "same_dilation",
        True,
        unary(I8, dilation_h_factor=2, dilation_w_factor=2),
        unary(I8, dilation_h_factor=2, dilation_w_factor=1),
        "2 x 1",
    ),
    (
        "no_groups",
        True,
        network("CONV_2D", [I8, WEIGHTS], [I8]),
        network("CONV_2D", [I8, tensor("int8[16, 3, 3, 4]", 1)], [I8]),
        "8 channels in the input, 4 in the weights",
    ),
    (
        "max_window",
        256,
        unary(I8, filter_height=16, filter_width=16),
        unary(I8, filter_height=17, filter_width=16),
        "17 x 16 = 272",
    ),
    ("unit_strides", True, sliced([1, 1]), sliced([1, 2]), "strides [1, 2]"),
    ("unit_strides", True, sliced([1, 1]), sliced(None), "strides computed at run time"),
    ("not_batch", True, with_axes("MEAN", I8, [1, 2]), with_axes("MEAN", I8, [0, 1]), "axes [0, 1]"),
    ("not_batch", True, with_axes("MEAN", I8, [-1]), with_axes("MEAN", I8, [-4]), "axes [0]"),
    ("not_batch", True, pads(0, 1, 1, 0), pads(1, 0, 0, 0), "axes [0]"),
    (
        "not_batch",
        True,
        network("PACK", [I8], [I8], {"axis": 1}),
        network("PACK", [I8], [I8], {"axis": 0}),
        "axes [0]",
    ),
    (
        "channel_multiple",
        4,
        with_axes("MEAN", "int8[1, 4, 4, 8]", [3]),
        with_axes("MEAN", "int8[1, 4, 4, 6]", [3]),
        "6 channels in int8[1, 4, 4, 6]",
    ),
    ("spatial_axes", True, with_axes("MEAN", I8, [1, 2]), with_axes("MEAN", I8, [3]), "axes [3]"),
    (
        "axis_not_last",
        True,
        network("UNPACK", [I8], [I8], {"axis": 0}),
        network("UNPACK", [I8], [I8], {"axis": -1}),
        "axis 3 of 4",
    ),
    (
        "axis_not_last",
        True,
        network("PACK", [I8], [I8], {"axis": 3}),
        network("PACK", [I8], [I8], {"axis": -1}),
        "axis 4 of 5",
    ),
    ("squeeze_leading", True, unary(I8, squeeze_dims=(0, 1)), unary(I8, squeeze_dims=(1, 2)), "dimensions [1, 2]"),
    ("input_counts", [3], network("CONV_2D", [I8, I8, I8], [I8]), network("CONV_2D", [I8, I8], [I8]), "2"),
    (
        "constant_inputs",
        [1],
        network("CONV_2D", [I8, WEIGHTS], [I8]),
        network("CONV_2D", [I8, I8], [I8]),
        "input 1 is computed",
    ),
    ("constant_inputs", [1], folded("DEQUANTIZE"), folded("RELU"), "input 1 is computed"),
    (
        "fits_int32",
        [1],
        network("ARG_MAX", [I8, tensor("int64[1]", 3)], [I8]),
        network("ARG_MAX", [I8, tensor("int64[1]", 2**31)], [I8]),
        "input 1 is int64, too large for int32",
    ),
    (
        "fits_int32",
        [1],
        network("ARG_MAX", [I8, "int32[1]"], [I8]),
        network("ARG_MAX", [I8, "int64[1]"], [I8]),
        "input 1 is int64",
    ),
    (
        "zero_inputs",
        [1],
        network("X", [I8, tensor("int32[2]", 0)], [I8]),
        network("X", [I8, tensor("int32[2]", [0, 1])], [I8]),
        "input 1 is [0, 1]",
    ),
    (
        "nonzero_inputs",
        [1],
        network("X", [I8, tensor("int32[2]", 2)], [I8]),
        network("X", [I8, tensor("int32[2]", [0, 1])], [I8]),
        "input 1 is [0, 1]",
    ),
    (
        "nonempty_inputs",
        [0],
        network("FILL", ["int32[2]"], [I8]),
        network("FILL", ["int32[0]"], ["int8[]"]),
        "input 0 is int32[0]",
    ),
    (
        "scalars_constant",
        True,
        network("MAXIMUM", [I8, tensor("int8[]", 1)], [I8]),
        network("MAXIMUM", [I8, "int8[]"], [I8]),
        "input 1 is a computed int8[]",
    ),
    (
        "zero_constants",
        True,
        joined("int8[1, 4]", tensor("int8[1, 4]", -3, scales=(0.5,), zero=-3)),
        joined("int8[1, 4]", tensor("int8[1, 4]", 1)),
        "a constant that is not zero",
    ),
    (
        "zero_constants",
        True,
        joined("int8[1, 4]", "int8[1, 4]"),
        joined("int8[1, 4]", "int8[1, 2]", tensor("int8[1, 2]", 0)),
        "3 inputs, 1 of them constant",
    ),
    ("intermediates", 5, lstm_with(5), lstm_with(0), "0"),
    *DELEGATE_CASES,
]
IDS = [f"{case[0]}-{number}" for number, case in enumerate(CASES)]


@pytest.mark.parametrize(("rule", "limit", "accepted", "refused", "found"), CASES, ids=IDS)
def test_a_rule_accepts_what_it_allows_and_says_what_it_found(
    rule: str, limit: Any, accepted: Network, refused: Network, found: str
) -> None:
    assert RULES[rule](context(accepted), limit) is None
    assert RULES[rule](context(refused), limit) == found


def test_min_level_asks_the_target() -> None:
    rule = RULES["min_level"]

    assert rule(context(unary(I8), device({}, level=30)), 30) is None
    assert rule(context(unary(I8), device({}, level=29)), 30) == "29"
    assert rule(context(unary(I8), device({})), 30) is None


def test_every_rule_has_a_case_here() -> None:
    assert {case[0] for case in CASES} | {"min_level"} == set(RULES)


def test_profiles_and_rules_have_the_same_vocabulary() -> None:
    assert set(WORDS) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_explains_itself_in_a_sentence_and_says_what_to_do(rule: str) -> None:
    said = sentence(rule, 4)

    assert said[0].islower()
    assert not said.endswith(".")
    assert "{" not in said
    assert remedy(rule)


@pytest.mark.parametrize(
    ("rule", "limit", "said"),
    [
        ("dtypes", ["float32", "uint8", "int8"], "its input is of type float32, uint8 or int8"),
        ("max_elements", 16000, "its input has at most 16 000 elements"),
        ("input_dtypes", {"1": ["int32", "int64"]}, "the types of its inputs are input 1: int32 or int64"),
        ("options", {"align_corners": [False]}, "its settings are `align_corners` false"),
    ],
    ids=["texts", "number", "by input", "settings"],
)
def test_limits_are_worded_for_people(rule: str, limit: Any, said: str) -> None:
    assert sentence(rule, limit) == said
