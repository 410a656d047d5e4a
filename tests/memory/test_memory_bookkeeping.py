"""RAM that the interpreter keeps beside the tensors, held against whole firmware that was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgecompile.core.target import Runtime
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.memory.arena import greedy_bytes
from edgecompile.memory.bookkeeping import bookkeeping_bytes
from edgecompile.memory.lifetimes import timeline_of

RUNTIME = Runtime(name="TFLM", ram_bytes=1_000, ram_bytes_per_operator=100, ram_bytes_per_channel=8)


def layer(name: str, weights: tuple[int, ...], dtype: str = "int8", per_channel: bool = True) -> Network:
    """One layer with twelve results of ``dtype``."""
    build = NetworkBuilder()
    scale = None if dtype == "float32" else 0.1
    source = build.input("in", (1, 1, 1, 3), dtype, scale)
    axis = 3 if name == "DEPTHWISE_CONV_2D" else 0
    scales = np.full(weights[axis], 0.1) if per_channel else 0.1
    kernel = build.constant("w", np.zeros(weights, "int8"), scale=scales, axis=axis)
    return build.output(build.op(name, [source, kernel, -1], [build.tensor("out", (1, 12), dtype, scale)])).build()


CASES = {
    "a convolution": (layer("CONV_2D", (12, 1, 1, 3)), 1_000 + 100 + 12 * 8),
    "a convolution quantized per tensor": (layer("CONV_2D", (12, 1, 1, 3), per_channel=False), 1_000 + 100 + 12 * 8),
    "a depthwise convolution": (layer("DEPTHWISE_CONV_2D", (1, 1, 1, 12)), 1_000 + 100 + 12 * 8),
    "a dense layer per channel": (layer("FULLY_CONNECTED", (12, 3)), 1_000 + 100 + 12 * 8),
    "a dense layer per tensor": (layer("FULLY_CONNECTED", (12, 3), per_channel=False), 1_000 + 100),
    "a convolution of floats": (layer("CONV_2D", (12, 1, 1, 3), "float32"), 1_000 + 100),
}


@pytest.mark.parametrize(("network", "expected"), CASES.values(), ids=CASES.keys())
def test_operators_and_channels_are_counted(network: Network, expected: int) -> None:
    assert bookkeeping_bytes(network, RUNTIME) == expected


# Fitted to the measured arenas of the seven models below, less their tensors; 8 bytes are a multiplier and a shift.
FITTED = Runtime(name="TFLM", ram_bytes=271, ram_bytes_per_operator=158, ram_bytes_per_channel=8)
# The largest residual of that fit is 362 bytes: kernels differ in what they keep for an operator.
TOLERANCE_BYTES = 400


@pytest.mark.data
@pytest.mark.parametrize("core", ["m4", "m7"])
def test_tensors_and_bookkeeping_make_the_arena_that_firmware_was_measured_to_need(data: Path, core: str) -> None:
    baseline = data.parent / "facts" / "tflm_baseline.json"
    if not baseline.is_file():
        pytest.skip("needs the measured baseline beside the shared data")
    rows = json.loads(baseline.read_text())["rows"]
    measured = {r["model"]: r["arena_bytes"] for r in rows if (r["core"], r["kernels"]) == (core, "cmsis-O2")}

    for model, arena_bytes in measured.items():
        network = read((data / "cortexm" / f"{model}.tflite").read_bytes())
        predicted = greedy_bytes(timeline_of(network)) + bookkeeping_bytes(network, FITTED)
        assert abs(predicted - arena_bytes) <= TOLERANCE_BYTES, model
    assert len(measured) == 7
