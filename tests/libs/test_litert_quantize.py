"""Quantization at the model's edge against TFLite's own QUANTIZE and DEQUANTIZE kernels."""

from __future__ import annotations

import numpy as np
import one_operator
import pytest

from edgecompile.libs import litert
from edgecompile.libs.affine import Port, dequantize, quantize

HALVES = np.array([-3.5, -2.5, -1.5, -0.5, -0.49999997, 0.0, 0.49999997, 0.5, 1.5, 2.5, 3.5], np.float32)
CASES = {
    "int8_unit": ("int8", 1.0, 0),
    "int8_shifted": ("int8", 0.00390625, -128),
    "int8_odd_scale": ("int8", 0.0472, 7),
    "uint8": ("uint8", 0.0078125, 128),
    "int16": ("int16", 3.05e-5, 0),
}


@pytest.mark.parametrize(("dtype", "scale", "zero_point"), CASES.values(), ids=CASES)
def test_quantize_equals_the_kernel_on_halves_ends_and_noise(dtype: str, scale: float, zero_point: int) -> None:
    noise = np.random.default_rng(0).normal(0, 100 * scale, 5000)
    values = np.concatenate([HALVES * np.float32(scale), noise, [1e6, -1e6, 3.4e38, -3.4e38]]).astype(np.float32)
    model = one_operator.quantize(len(values), scale, zero_point, dtype)

    given = litert.invoke(model, (values[None],), runtime=litert.choose("tflite"), resolver="reference")

    with np.errstate(over="ignore"):
        finite = np.abs(values / np.float32(scale)) < 2**31  # beyond, the kernel's cast to int32 is undefined in C++
    ours = quantize(values, given.outputs[0])
    np.testing.assert_array_equal(ours[finite], given.arrays[0][0][finite])
    limits = np.iinfo(dtype)
    assert ours[-2:].tolist() == [limits.max, limits.min]


@pytest.mark.parametrize(("dtype", "scale", "zero_point"), CASES.values(), ids=CASES)
def test_dequantize_equals_the_kernel_for_every_value(dtype: str, scale: float, zero_point: int) -> None:
    limits = np.iinfo(dtype)
    every = np.arange(limits.min, limits.max + 1).astype(dtype)
    model = one_operator.dequantize(len(every), scale, zero_point, dtype)

    given = litert.invoke(model, (every[None],), runtime=litert.choose("tflite"), resolver="reference")

    np.testing.assert_array_equal(dequantize(every, given.inputs[0]), given.arrays[0][0])


def test_values_that_are_not_quantized_are_only_cast() -> None:
    port = Port(name="x", shape=(1, 2), dtype="float16", signature=(1, 2))

    real = dequantize(np.array([[1.5, -2]], np.float16), port)

    assert real.dtype == np.float32
    assert real.tolist() == [[1.5, -2.0]]


def test_ports_survive_a_trip_through_json_types() -> None:
    port = Port(name="x", shape=(1, 2), dtype="int8", scale=0.1, zero_point=3, signature=(-1, 2))

    assert Port.from_dict({**port.to_dict(), "shape": [1, 2], "signature": [-1, 2]}) == port
