"""Operators of two inputs, in every type and broadcast, as C against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one
from kernel_run import Answers, assert_equal, needs_gcc, run_all

pytestmark = needs_gcc
A, B = (1, 4, 5, 6), (1, 1, 5, 1)


def eight(name: str, *zeros: int, scales: tuple[float, ...] = (0.04, 0.07, 0.1), second: tuple[int, ...] = A) -> Make:
    tensors = [T(shape, "int8", scale, zero) for shape, scale, zero in zip((A, second, A), scales, zeros, strict=True)]
    return one(name, tensors[:2], tensors[2:])


def sixteen(name: str, scales: tuple[float, ...], second: tuple[int, ...] = A, **options: object) -> Make:
    tensors = [T(shape, "int16", scale) for shape, scale in zip((A, second, A), scales, strict=True)]
    return one(name, tensors[:2], tensors[2:], **options)


def plain(name: str, dtype: str, second: tuple[int, ...] = A, result: str | None = None, **options: object) -> Make:
    return one(name, [T(A, dtype), T(second, dtype)], [T(A, result or dtype)], **options)


CASES: dict[str, Make] = {
    "add, int16": sixteen("ADD", (3e-4, 5e-4, 7e-4)),
    "add, int16, broadcast, relu": sixteen("ADD", (3e-4, 5e-5, 2e-4), B, fused_activation_function="RELU"),
    "add, int16, very different scales": sixteen("ADD", (1e-6, 3e-3, 3e-3)),
    "sub, int16": sixteen("SUB", (3e-4, 5e-4, 7e-4)),
    "sub, int16, broadcast": sixteen("SUB", (3e-4, 5e-4, 3e-4), B),
    "mul, int16": sixteen("MUL", (3e-4, 5e-4, 5e-3)),
    "mul, int16, broadcast, relu6": sixteen("MUL", (3e-4, 5e-4, 3e-4), B, fused_activation_function="RELU6"),
    "squared difference": eight("SQUARED_DIFFERENCE", -5, 9, -100, scales=(0.04, 0.07, 0.3)),
    "squared difference, broadcast": eight("SQUARED_DIFFERENCE", 127, -128, -128, second=B),
    "squared difference, fine result": eight("SQUARED_DIFFERENCE", 0, 3, -128, scales=(0.02, 0.02, 0.01)),
    "squared difference, int16": sixteen("SQUARED_DIFFERENCE", (2e-5, 3e-5, 1e-4)),
    "prelu": eight("PRELU", -5, 9, 3),
    "prelu, a slope for each channel": eight("PRELU", -128, -3, 100, scales=(0.05, 0.01, 0.05), second=(1, 1, 6)),
    "prelu, highest zero points": eight("PRELU", 127, 127, -128, second=(1, 1, 6)),
    "prelu, float32": plain("PRELU", "float32", (1, 1, 6)),
    "maximum, int16": sixteen("MAXIMUM", (3e-4, 3e-4, 3e-4)),
    "maximum, float32": plain("MAXIMUM", "float32", B),
    "minimum, int32": plain("MINIMUM", "int32"),
    "add, float32": plain("ADD", "float32"),
    "add, float32, broadcast, relu6": plain("ADD", "float32", B, fused_activation_function="RELU6"),
    "add, int32": one("ADD", [T(A, "int32"), T((1,), "int32", values=77)], [T(A, "int32")]),
    "sub, float32, relu": plain("SUB", "float32", fused_activation_function="RELU"),
    "mul, float32, broadcast": plain("MUL", "float32", B, fused_activation_function="RELU_N1_TO_1"),
    "mul, int32": plain("MUL", "int32"),
    "div, float32": plain("DIV", "float32"),
    "div, float32, broadcast": plain("DIV", "float32", B),
    "squared difference, float32": plain("SQUARED_DIFFERENCE", "float32", B),
    **{
        f"{name.lower().replace('_', ' ')}, {dtype}": plain(name, dtype, B, "bool")
        for name in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
        for dtype in ("float32", "int32", "int64")
    },
    **{
        f"{name.lower().replace('_', ' ')}, int8": one(
            name, [T(A, "int8", 0.05, -3), T((1, 1, 1, 1), "int8", 0.05, 11, values=30)], [T(A, "bool")]
        )
        for name in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
    },
    "equal, int8 of one scale": one("EQUAL", [T(A, "int8", 0.1, -128), T(A, "int8", 0.1, -128)], [T(A, "bool")]),
    "not equal, bool": plain("NOT_EQUAL", "bool"),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("binary")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_two_inputs_give_what_the_reference_gives_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 1, "the case shows nothing: outputs do not differ"
