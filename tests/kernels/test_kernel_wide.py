"""Sums, pools and activations of int16 and float32, and products of matrices, as C against TensorFlow Lite Micro.

float32 results are equal bit for bit on this machine: the same operations in the same order, the same C library.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_networks import Make, T, one, shape_of
from kernel_run import Answers, assert_equal, needs_gcc, run_all

pytestmark = needs_gcc


def convolution(
    name: str,
    real: bool,
    source: tuple[int, ...],
    kernel: tuple[int, ...],
    output: tuple[int, ...],
    bias: bool = True,
    **options: object,
) -> Make:
    channels = kernel[3] if name == "DEPTHWISE_CONV_2D" else kernel[0]
    axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
    scales = np.random.default_rng(3).uniform(0.001, 0.01, channels).tolist()
    reach = float(np.prod(kernel)) / channels
    if real:
        tensors = [
            T(source, "float32"),
            T(kernel, "float32", values="noise"),
            T((channels,), "float32", values="noise"),
        ]
        result = T(output, "float32")
    else:
        tensors = [T(source, "int16", 3e-4), T(kernel, "int8", scales, values="noise", axis=axis)]
        tensors.append(T((channels,), "int64", (np.array(scales) * 3e-4).tolist(), values="noise", limit=10**6))
        result = T(output, "int16", 6e-4 * reach**0.5)
    return one(name, tensors if bias else [*tensors[:2], None], [result], **options)


def transposed(
    real: bool,
    source: tuple[int, ...],
    kernel: tuple[int, ...],
    output: tuple[int, ...],
    bias: bool = True,
    **options: object,
) -> Make:
    """Inputs of TRANSPOSE_CONV: output shape, weights, values, bias."""
    scales = np.random.default_rng(3).uniform(0.001, 0.01, kernel[0]).tolist()
    if real:
        tensors = [T(kernel, "float32", values="noise"), T(source, "float32")]
        tensors.append(T((kernel[0],), "float32", values="noise"))
        result = T(output, "float32")
    else:
        tensors = [T(kernel, "int8", scales, values="noise"), T(source, "int16", 3e-4)]
        tensors.append(T((kernel[0],), "int64", (np.array(scales) * 3e-4).tolist(), values="noise", limit=10**6))
        result = T(output, "int16", 6e-4 * float(np.prod(kernel[1:])) ** 0.5)
    given = tensors if bias else tensors[:2]
    return one("TRANSPOSE_CONV", [shape_of(output), *given], [result], **options)


def pool(name: str, real: bool, source: tuple[int, ...], output: tuple[int, ...], **options: object) -> Make:
    kind = ("float32",) if real else ("int16", 3e-4)
    size = {"filter_height": 3, "filter_width": 2}
    return one(name, [T(source, *kind)], [T(output, *kind)], **size, **options)


def product(
    dtype: str, first: tuple[int, ...], second: tuple[int, ...], output: tuple[int, ...], **options: bool
) -> Make:
    if dtype == "float32":
        return one("BATCH_MATMUL", [T(first, dtype), T(second, dtype)], [T(output, dtype)], **options)
    zeros = (-7, 12, 3) if dtype == "int8" else (0, 0, 0)
    scales = (0.05, 0.03, 0.3) if dtype == "int8" else (3e-4, 2e-4, 4e-3)
    tensors = [T(s, dtype, scale, zero) for s, scale, zero in zip((first, second, output), scales, zeros, strict=True)]
    return one("BATCH_MATMUL", tensors[:2], tensors[2:], **options)


def reduction(name: str, dtype: str, axes: list[int], keep: bool = False, scale: float = 3e-4) -> Make:
    shape = (2, 5, 6, 7)
    kept = [1 if i in axes else size for i, size in enumerate(shape) if keep or i not in axes]
    quantities = {"float32": (None, 0), "int16": (3e-4, 0), "int8": (0.1, 9)}[dtype]
    after = scale if dtype == "int16" else quantities[0]
    return one(
        name,
        [T(shape, dtype, *quantities), shape_of(axes)],
        [T(tuple(kept), dtype, after, quantities[1])],
        keep_dims=keep,
    )


def unary(name: str, source: float, output: float = 1 / 32768, **options: object) -> Make:
    return one(name, [T((1, 40, 50), "int16", source)], [T((1, 40, 50), "int16", output)], **options)


C, D, F = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"
TWO = {"stride_h": 2, "stride_w": 2, "padding": "SAME"}
RELU6 = {"fused_activation_function": "RELU6"}
SUMS: dict[str, Make] = {}
for kind, real in (("int16", False), ("float32", True)):
    SUMS |= {
        f"conv 1x1, {kind}": convolution(C, real, (1, 5, 4, 6), (7, 1, 1, 6), (1, 5, 4, 7)),
        f"conv 3x3, {kind}": convolution(C, real, (2, 5, 4, 6), (7, 3, 3, 6), (2, 5, 4, 7), padding="SAME", **RELU6),
        f"conv, stride 2, {kind}": convolution(C, real, (1, 6, 7, 3), (4, 3, 3, 3), (1, 3, 4, 4), **TWO),
        f"conv, dilated, {kind}": convolution(
            C, real, (1, 7, 7, 2), (3, 3, 3, 2), (1, 3, 3, 3), padding="VALID", dilation_h_factor=2, dilation_w_factor=2
        ),
        f"depthwise, {kind}": convolution(D, real, (1, 6, 7, 5), (1, 3, 3, 5), (1, 3, 4, 5), **TWO),
        f"depthwise, multiplier 2, {kind}": convolution(
            D, real, (1, 5, 4, 3), (1, 3, 3, 6), (1, 5, 4, 6), depth_multiplier=2, padding="SAME", **RELU6
        ),
        f"dense, {kind}": convolution(F, real, (3, 20), (9, 20), (3, 9)),
        f"dense without bias, {kind}": convolution(
            F, real, (1, 20), (9, 20), (1, 9), False, fused_activation_function="RELU"
        ),
        f"average pooling, {kind}": pool("AVERAGE_POOL_2D", real, (2, 7, 6, 3), (2, 4, 3, 3), **TWO),
        f"average pooling, relu6, {kind}": pool(
            "AVERAGE_POOL_2D", real, (1, 7, 6, 3), (1, 7, 6, 3), padding="SAME", **RELU6
        ),
        f"max pooling, {kind}": pool("MAX_POOL_2D", real, (2, 7, 6, 3), (2, 4, 3, 3), **TWO),
        f"mean, {kind}": reduction("MEAN", kind, [1, 2]),
        f"mean, axes kept, {kind}": reduction("MEAN", kind, [1, 2], True),
        f"mean of channels, {kind}": reduction("MEAN", kind, [3], scale=2e-4),
    }
CASES: dict[str, Make] = {
    **SUMS,
    **{
        f"transposed{name}, {'float32' if real else 'int16'}": transposed(real, source, kernel, output, **options)
        for real in (False, True)
        for name, source, kernel, output, options in (
            ("", (1, 4, 5, 8), (6, 3, 3, 8), (1, 8, 10, 6), TWO),
            (", valid", (2, 3, 3, 5), (4, 2, 4, 5), (2, 4, 6, 4), {"stride_h": 1, "stride_w": 1, "padding": "VALID"}),
            (", one channel", (1, 3, 4, 1), (2, 3, 2, 1), (1, 6, 8, 2), TWO),
        )
    },
    "sum, float32": reduction("SUM", "float32", [1, 2]),
    "sum, int16": reduction("SUM", "int16", [1, 2], scale=9e-3),
    "reduce max, int8": reduction("REDUCE_MAX", "int8", [1, 2]),
    "reduce max of channels, int8": reduction("REDUCE_MAX", "int8", [3], True),
    "reduce max, float32": reduction("REDUCE_MAX", "float32", [1, 2]),
    **{
        f"matrices{name}, {dtype}": product(dtype, first, second, output, **options)
        for dtype in ("int8", "int16", "float32")
        for name, first, second, output, options in (
            ("", (3, 4), (4, 5), (3, 5), {}),
            (" of a batch", (2, 3, 4), (2, 4, 5), (2, 3, 5), {}),
            (", first swapped", (2, 4, 3), (2, 4, 5), (2, 3, 5), {"adj_x": True}),
            (", second swapped", (2, 3, 4), (2, 5, 4), (2, 3, 5), {"adj_y": True}),
            (", both swapped", (2, 4, 3), (2, 5, 4), (2, 3, 5), {"adj_x": True, "adj_y": True}),
            (", broadcast", (2, 1, 3, 4), (3, 4, 5), (2, 3, 3, 5), {}),
        )
    },
    "softmax, float32": one("SOFTMAX", [T((5, 9), "float32")], [T((5, 9), "float32")], beta=0.7),
    "softmax, int16": one("SOFTMAX", [T((5, 9), "int16", 1e-3)], [T((5, 9), "int16", 1 / 32768)], beta=1.0),
    "softmax, int16, narrow": one("SOFTMAX", [T((5, 90), "int16", 2e-5)], [T((5, 90), "int16", 1 / 32768)], beta=1.0),
    "softmax, int8 to int16": one(
        "SOFTMAX", [T((5, 9), "int8", 0.1, 5)], [T((5, 9), "int16", 1 / 65536, -32768)], beta=1.0
    ),
    "logistic, int16": unary("LOGISTIC", 3e-4),
    "logistic, int16, the table's scale": unary("LOGISTIC", 1 / 4096),
    "logistic, int16, wide": unary("LOGISTIC", 0.01),
    "tanh, int16": unary("TANH", 2e-4),
    "tanh, int16, the table's scale": unary("TANH", 1 / 4096),
    "tanh, int16, twice it": unary("TANH", 1 / 2048),
    "tanh, int16, a power of two": unary("TANH", 1 / 32768),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    folder: Path = tmp_path_factory.mktemp("wide")
    return run_all({case: make() for case, make in CASES.items()}, folder)


@pytest.mark.parametrize("case", CASES)
def test_wide_results_equal_the_reference_bit_for_bit(answers: dict[str, Answers], case: str) -> None:
    assert_equal(answers[case])
    assert len(np.unique(answers[case].micro[0])) > 1, "the case shows nothing: outputs do not differ"
