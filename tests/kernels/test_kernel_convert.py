"""Changes of type, and functions of one value, as C against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one
from kernel_run import Answers, assert_equal, needs_gcc, run_all

pytestmark = needs_gcc
A = (1, 4, 16, 16)


def convert(name: str, source: T, output: T, **options: object) -> Make:
    return one(name, [source], [output], **options)


def real(name: str, positive: bool = False, **options: object) -> Make:
    """A function of a float32; of squares where it has no value below 0."""

    def make():
        from edgecompile.ir.build import NetworkBuilder

        build = NetworkBuilder()
        x = build.input("x", A)
        if positive:
            x = build.op("SQUARE", [x], [build.tensor("s", A)])
        y = build.op(name, [x], [build.tensor("y", A)], **options)
        return build.output(y).build()

    return make


S8, S16 = T(A, "int8", 0.05, -20), T(A, "int16", 3e-4)
CASES: dict[str, Make] = {
    "float32 to int8": convert("QUANTIZE", T(A, "float32"), T(A, "int8", 0.031, -7)),
    "float32 to int8, highest zero point": convert("QUANTIZE", T(A, "float32"), T(A, "int8", 0.5, 127)),
    "float32 to int8, tiny scale": convert("QUANTIZE", T(A, "float32"), T(A, "int8", 1e-5, -128)),
    "float32 to int16": convert("QUANTIZE", T(A, "float32"), S16),
    "int8 to float32": convert("DEQUANTIZE", S8, T(A, "float32")),
    "uint8 to float32": convert("DEQUANTIZE", T(A, "uint8", 0.007, 128), T(A, "float32")),
    "int16 to float32": convert("DEQUANTIZE", S16, T(A, "float32")),
    "int16 to int8": convert("QUANTIZE", S16, T(A, "int8", 0.08, 5)),
    "int16 to int16": convert("QUANTIZE", S16, T(A, "int16", 5e-4)),
    "int16 to int32": convert("QUANTIZE", S16, T(A, "int32", 1e-4)),
    "int8 to int16": convert("QUANTIZE", S8, T(A, "int16", 2e-4)),
    "int8 to int32": convert("QUANTIZE", S8, T(A, "int32", 1e-3)),
    "int32 to int8": convert("QUANTIZE", T(A, "int32", 1e-9), T(A, "int8", 0.02, 3)),
    "int32 to int16": convert("QUANTIZE", T(A, "int32", 1e-9), T(A, "int16", 1e-4)),
    **{
        f"cast {source} to {output}": convert("CAST", T(A, source), T(A, output))
        for source, output in (
            ("float32", "int8"),
            ("float32", "int32"),
            ("float32", "int16"),
            ("int8", "float32"),
            ("int32", "float32"),
            ("int16", "int32"),
            ("int32", "int8"),
            ("uint32", "int32"),
            ("bool", "float32"),
        )
    },
    "leaky relu, int16": convert("LEAKY_RELU", S16, T(A, "int16", 4e-4), alpha=0.3),
    "leaky relu, int16, negative slope": convert("LEAKY_RELU", S16, T(A, "int16", 1e-4), alpha=-0.7),
    "elu, int8": convert("ELU", S8, T(A, "int8", 0.03, -95)),
    "elu, int8, wide": convert("ELU", T(A, "int8", 0.9, 10), T(A, "int8", 0.4, -100)),
    "abs, int8": convert("ABS", S8, T(A, "int8", 0.03, -128)),
    "abs, int8, one scale": convert("ABS", S8, S8),
    "inverse root, int8": convert("RSQRT", T(A, "int8", 0.05, -128), T(A, "int8", 0.02, -128)),
    "inverse root, int8, wide": convert("RSQRT", T(A, "int8", 3.0, -128), T(A, "int8", 0.004, -100)),
    "normalize": convert("L2_NORMALIZATION", S8, T(A, "int8", 1 / 128)),
    "normalize, highest zero point": convert("L2_NORMALIZATION", T(A, "int8", 0.05, 127), T(A, "int8", 1 / 128)),
    "normalize one value": convert("L2_NORMALIZATION", T((9, 1), "int8", 0.05, -3), T((9, 1), "int8", 1 / 128)),
    "normalize, float32": convert("L2_NORMALIZATION", T(A, "float32"), T(A, "float32")),
    **{
        name.lower(): real(name)
        for name in (
            "ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LOGISTIC", "NEG", "RELU", "RELU6", "ROUND",
            "SIN", "SQUARE", "TANH",
        )
    },
    **{f"{name.lower()} of squares": real(name, True) for name in ("LOG", "SQRT", "RSQRT")},
    "leaky relu, float32": real("LEAKY_RELU", alpha=0.2),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("convert")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_a_converted_value_equals_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 1, "the case shows nothing: outputs do not differ"
