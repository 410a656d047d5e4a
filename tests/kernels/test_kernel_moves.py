"""Operators that move elements, and transposed and grouped convolutions, as C against TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from kernel_run import Answers, assert_equal, needs_gcc, run_all

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

pytestmark = needs_gcc
Make = Callable[[], Network]


def move(
    name: str,
    shapes: Sequence[tuple[int, ...]],
    result: Sequence[tuple[int, ...]],
    *constants: object,
    **options: object,
) -> Make:
    """``constants`` follow the values; SPLIT's axis stands before them."""
    dtype = str(options.pop("dtype", "int8"))

    def make() -> Network:
        build = NetworkBuilder()
        scale = {} if dtype in ("float32", "int32") else {"scale": 0.1, "zero_point": 0 if dtype == "int16" else -3}
        inputs = [build.input(f"x{i}", shape, dtype, **scale) for i, shape in enumerate(shapes)]
        extra = [build.constant(f"c{i}", np.asarray(values, np.int32)) for i, values in enumerate(constants)]
        if name == "PADV2":
            value = np.asarray(constants[1], np.dtype(dtype))
            extra[1] = build.constant("value", value.reshape(1), dtype, **scale)
        outputs = [build.tensor(f"y{i}", shape, dtype, **scale) for i, shape in enumerate(result)]
        build.op(name, [*extra, *inputs] if name == "SPLIT" else [*inputs, *extra], outputs, **options)
        return build.output(*outputs).build()

    return make


def transposed(source: tuple[int, ...], kernel: tuple[int, ...], result: tuple[int, ...], **options: object) -> Make:
    def make() -> Network:
        draw = np.random.default_rng(5)
        build = NetworkBuilder()
        shape = build.constant("shape", np.array(result, np.int32))
        scales = draw.uniform(0.001, 0.01, kernel[0]).tolist()
        w = build.constant("w", draw.integers(-128, 128, kernel, dtype=np.int8), scale=scales)
        x = build.input("x", source, "int8", scale=0.05, zero_point=-9)
        b = build.constant("b", draw.integers(-9000, 9000, kernel[0], dtype=np.int32), scale=0.0001)
        y = build.tensor("y", result, "int8", scale=0.1, zero_point=4)
        build.op("TRANSPOSE_CONV", [shape, w, x, b], [y], **options)
        return build.output(y).build()

    return make


def unpaired(source: tuple[int, ...], kernel: tuple[int, ...], result: tuple[int, ...], **options: object) -> Make:
    def make() -> Network:
        draw = np.random.default_rng(6)
        build = NetworkBuilder()
        x = build.input("x", source, "int8", scale=0.05, zero_point=-9)
        values = draw.choice(np.array([-128, -127, 127, -1, 0], np.int8), kernel)
        w = build.constant("w", values, scale=draw.uniform(0.001, 0.01, kernel[0]).tolist())
        y = build.tensor("y", result, "int8", scale=0.5, zero_point=4)
        build.op("CONV_2D" if len(kernel) == 4 else "FULLY_CONNECTED", [x, w], [y], **options)
        return build.output(y).build()

    return make


def pool(name: str, source: tuple[int, ...], result: tuple[int, ...], size: tuple[int, int], **options: object) -> Make:
    def make() -> Network:
        build = NetworkBuilder()
        x = build.input("x", source, "int8", scale=0.05, zero_point=-9)
        y = build.tensor("y", result, "int8", scale=0.05, zero_point=-9)
        build.op(name, [x], [y], filter_height=size[0], filter_width=size[1], **options)
        return build.output(y).build()

    return make


STRIDES = {"stride_h": 2, "stride_w": 2}
CASES: dict[str, Make] = {
    "average pooling": pool("AVERAGE_POOL_2D", (1, 6, 6, 3), (1, 3, 3, 3), (2, 2), padding="VALID", **STRIDES),
    "average pooling, cut at the borders": pool("AVERAGE_POOL_2D", (2, 5, 4, 3), (2, 5, 4, 3), (3, 3), padding="SAME"),
    "average pooling of everything, relu6": pool(
        "AVERAGE_POOL_2D", (1, 7, 5, 4), (1, 1, 1, 4), (7, 5), padding="VALID", fused_activation_function="RELU6"
    ),
    "max pooling": pool("MAX_POOL_2D", (1, 6, 6, 3), (1, 3, 3, 3), (2, 2), padding="VALID", **STRIDES),
    "max pooling, cut at the borders": pool(
        "MAX_POOL_2D", (1, 7, 5, 2), (1, 4, 3, 2), (3, 3), padding="SAME", fused_activation_function="RELU", **STRIDES
    ),
    "reshape": move("RESHAPE", [(1, 3, 4)], [(2, 6)], [2, 6], new_shape=(2, 6)),
    "squeeze": move("SQUEEZE", [(1, 3, 1, 4)], [(3, 4)], squeeze_dims=(0, 2)),
    "expand dims": move("EXPAND_DIMS", [(3, 4)], [(3, 1, 4)], 1),
    "concatenation, channels": move("CONCATENATION", [(1, 3, 4, 2), (1, 3, 4, 5)], [(1, 3, 4, 7)], axis=3),
    "concatenation, rows": move("CONCATENATION", [(1, 3, 4), (1, 2, 4), (1, 1, 4)], [(1, 6, 4)], axis=1),
    "concatenation, last by a negative axis": move("CONCATENATION", [(2, 3), (2, 1)], [(2, 4)], axis=-1),
    "concatenation, float32": move("CONCATENATION", [(2, 3), (2, 1)], [(2, 4)], axis=1, dtype="float32"),
    "concatenation, int16": move("CONCATENATION", [(2, 3), (2, 1)], [(2, 4)], axis=1, dtype="int16"),
    "pack": move("PACK", [(2, 3), (2, 3)], [(2, 2, 3)], axis=1, values_count=2),
    "unpack": move("UNPACK", [(2, 3, 2)], [(2, 2)] * 3, axis=1, num=3),
    "split": move("SPLIT", [(1, 4, 6)], [(1, 4, 2)] * 3, 2, num_splits=3),
    "split_v": move("SPLIT_V", [(1, 4, 6)], [(1, 4, 1), (1, 4, 5)], [1, 5], 2, num_splits=2),
    "slice": move("SLICE", [(1, 5, 6, 3)], [(1, 2, 4, 2)], [0, 1, 2, 0], [1, 2, 4, 2]),
    "strided slice": move("STRIDED_SLICE", [(1, 5, 6, 3)], [(1, 2, 3, 2)], [0, 1, 0, 1], [1, 5, 6, 3], [1, 2, 2, 1]),
    "strided slice backwards": move("STRIDED_SLICE", [(2, 6)], [(2, 6)], [0, -1], [2, -7], [1, -1], begin_mask=1),
    "strided slice, shrunk": move(
        "STRIDED_SLICE",
        [(3, 4, 5)],
        [(4, 5)],
        [-1, 0, 0],
        [0, 0, 0],
        [1, 1, 1],
        shrink_axis_mask=1,
        end_mask=6,
        begin_mask=6,
    ),
    "transpose": move("TRANSPOSE", [(1, 3, 4, 5)], [(1, 5, 3, 4)], [0, 3, 1, 2]),
    "transpose a matrix": move("TRANSPOSE", [(3, 7)], [(7, 3)], [1, 0]),
    "transpose, int16": move("TRANSPOSE", [(3, 7)], [(7, 3)], [1, 0], dtype="int16"),
    "pad": move("PAD", [(1, 3, 4, 2)], [(1, 6, 5, 2)], [[0, 0], [1, 2], [0, 1], [0, 0]]),
    "pad channels": move("PAD", [(1, 3, 2)], [(1, 3, 5)], [[0, 0], [0, 0], [1, 2]]),
    "pad, float32": move("PAD", [(1, 3, 2)], [(1, 4, 2)], [[0, 0], [1, 0], [0, 0]], dtype="float32"),
    "pad with a value": move("PADV2", [(1, 3, 2)], [(1, 3, 5)], [[0, 0], [0, 0], [1, 2]], 77),
    "transposed convolution": transposed(
        (1, 4, 3, 5), (6, 3, 3, 5), (1, 8, 6, 6), stride_h=2, stride_w=2, padding="SAME"
    ),
    "transposed convolution, valid": transposed(
        (1, 4, 3, 5), (6, 3, 2, 5), (1, 9, 6, 6), stride_h=2, stride_w=2, padding="VALID"
    ),
    "transposed convolution, stride 1": transposed((2, 4, 3, 5), (4, 3, 3, 5), (2, 4, 3, 4), padding="SAME"),
    "convolution with -128 beside negatives": unpaired((1, 5, 4, 3), (4, 3, 3, 3), (1, 5, 4, 4), padding="SAME"),
    "grouped convolution": unpaired((1, 5, 4, 6), (4, 3, 3, 3), (1, 5, 4, 4), padding="SAME"),
    "dense with -128 beside negatives": unpaired((2, 9), (5, 9), (2, 5)),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("moves")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_moves_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
