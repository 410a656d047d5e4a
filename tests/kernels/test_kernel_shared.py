"""Operators that differ in constants and tensors only are made by one function, and stay exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_run import assert_equal, needs_gcc, run_all, write_c

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network


def two_layers(second_zero: int = 3) -> Network:
    """Two depthwise convolutions of one size with other weights, biases and scales of channels."""
    draw = np.random.default_rng(3)
    build = NetworkBuilder()
    last = build.input("x", (1, 6, 5, 4), "int8", scale=0.05, zero_point=3)
    for index, zero in enumerate((3, second_zero)):
        weights = draw.integers(-127, 128, (1, 3, 3, 4), dtype=np.int8)
        scales = draw.uniform(0.001, 0.01, 4)
        w = build.constant(f"w{index}", weights, scale=scales.tolist(), axis=3)
        bias = draw.integers(-9000, 9000, 4, dtype=np.int32)
        b = build.constant(f"b{index}", bias, scale=(0.05 * scales).tolist())
        out = build.tensor(f"y{index}", (1, 6, 5, 4), "int8", scale=0.05, zero_point=zero)
        last = build.op("DEPTHWISE_CONV_2D", [last, w, b], [out], padding="SAME")
    return build.output(last).build()


@pytest.mark.micro
@needs_gcc
def test_layers_that_share_a_function_equal_the_reference(tmp_path: Path) -> None:
    answers = run_all({"two": two_layers()}, tmp_path)

    assert_equal(answers["two"])
    assert len(np.unique(answers["two"].micro[0])) > 20


@pytest.mark.parametrize(("second_zero", "instances"), [(3, 1), (4, 2)], ids=["same settings", "other settings"])
def test_a_kernel_is_there_once_for_the_same_settings(second_zero: int, instances: int, tmp_path: Path) -> None:
    write_c("two", two_layers(second_zero), tmp_path)

    text = (tmp_path / "two.c").read_text()
    assert text.count("ec_depthwise_conv_2d_s8(&") == instances
    assert ("For all operators with these settings" in text) == (instances == 1)
