"""Multiply-accumulates by formulas worked out by hand, and bytes counted once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.costs import cost_of, macs, totals
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read_file

Shape = tuple[int, ...] | None


def operator(name: str, inputs: list[Shape], output: tuple[int, ...], **options: Any) -> Network:
    """One operator whose first input is given, others constants; None leaves one out."""
    build = NetworkBuilder()
    tensors = []
    for index, shape in enumerate(inputs):
        if shape is None:
            tensors.append(-1)
        elif index == 0:
            tensors.append(build.input("x", shape))
        else:
            tensors.append(build.constant(f"c{index}", np.zeros(shape, np.float32)))
    y = build.tensor("y", output)
    build.op(name, tensors, [y], **options)
    return build.output(y).build()


LSTM: list[Shape] = [(1, 5, 3), *[(4, 3)] * 4, *[(4, 4)] * 4, None, None, None, *[(4,)] * 4]


@pytest.mark.parametrize(
    "network, count",
    [
        pytest.param(operator("CONV_2D", [(1, 8, 8, 3), (5, 3, 3, 3)], (1, 4, 4, 5)), 80 * 27, id="CONV_2D"),
        pytest.param(operator("CONV_2D", [(1, 8, 8, 6), (4, 3, 3, 3)], (1, 8, 8, 4)), 256 * 27, id="grouped CONV_2D"),
        pytest.param(
            operator("DEPTHWISE_CONV_2D", [(1, 8, 8, 3), (1, 3, 3, 6)], (1, 8, 8, 6)), 384 * 9, id="DEPTHWISE_CONV_2D"
        ),
        pytest.param(
            operator("TRANSPOSE_CONV", [(4,), (5, 2, 2, 3), (1, 4, 4, 3)], (1, 8, 8, 5)), 48 * 20, id="TRANSPOSE_CONV"
        ),
        pytest.param(operator("FULLY_CONNECTED", [(2, 7), (5, 7)], (2, 5)), 70, id="FULLY_CONNECTED"),
        pytest.param(operator("BATCH_MATMUL", [(3, 2, 4), (3, 4, 5)], (3, 2, 5)), 120, id="BATCH_MATMUL"),
        pytest.param(
            operator("BATCH_MATMUL", [(3, 4, 2), (3, 4, 5)], (3, 2, 5), adj_x=True), 120, id="BATCH_MATMUL of x^T"
        ),
        pytest.param(operator("SVDF", [(2, 6), (8, 6), (8, 10)], (2, 8), rank=1), 2 * 8 * 16, id="SVDF"),
        pytest.param(
            operator("UNIDIRECTIONAL_SEQUENCE_LSTM", LSTM, (1, 5, 4)), 5 * (4 * 12 + 4 * 16), id="SEQUENCE_LSTM"
        ),
        pytest.param(operator("CONV_3D", [(1, 4, 4, 4, 2), (2, 2, 2, 2, 3)], (1, 3, 3, 3, 3)), 81 * 16, id="CONV_3D"),
        pytest.param(operator("MAX_POOL_2D", [(1, 8, 8, 3)], (1, 4, 4, 3)), 0, id="pooling"),
        pytest.param(operator("ADD", [(1, 8), (1, 8)], (1, 8)), 0, id="ADD"),
        pytest.param(operator("CUSTOM", [(1, 8)], (1, 8), custom_code="mine"), None, id="custom"),
        pytest.param(operator("LSTM", [(1, 8)], (1, 8)), None, id="not counted"),
        pytest.param(operator("CONV_2D", [(1, 8, 8, 3)], (1, 4, 4, 5)), None, id="without weights"),
        pytest.param(operator("FULLY_CONNECTED", [(2, 7), None], (2, 5)), None, id="weights left out"),
    ],
)
def test_multiply_accumulates_are_counted(network: Network, count: int | None) -> None:
    assert macs(network.main, network.main.operators[0]) == count


def test_bytes_of_an_operator_and_of_the_network_are_counted() -> None:
    network = operator("FULLY_CONNECTED", [(2, 7), (5, 7), (5,)], (2, 5))

    cost, total = cost_of(network.main, network.main.operators[0]), totals(network)

    assert (cost.weights_bytes, cost.activation_bytes, cost.options_bytes) == (160, 40, 0)
    assert (total.operators, total.macs, total.uncounted) == (1, 70, 0)
    assert (total.weights_bytes, total.activation_bytes) == (160, 96)


def test_shared_storage_is_counted_once_in_an_operator_and_in_the_network() -> None:
    network = operator("FULLY_CONNECTED", [(2, 5), (5, 5), (5, 5)], (2, 5))
    one = network.main.tensors[1].buffer
    tensors = tuple(replace(tensor, buffer=one) if tensor.is_constant else tensor for tensor in network.main.tensors)
    shared = replace(network, subgraphs=(replace(network.main, tensors=tensors), network.main))

    assert cost_of(shared.main, shared.main.operators[0]).weights_bytes == 100
    assert totals(shared).weights_bytes == 200


def test_custom_options_are_counted_apart() -> None:
    network = operator("CUSTOM", [(1, 8)], (1, 8), custom_code="edgetpu-custom-op", custom_options=b"x" * 77)

    assert totals(network).options_bytes == 77
    assert totals(network).uncounted == 1


@pytest.mark.data
@pytest.mark.parametrize(
    "name, count",
    [
        # Dense 128, 128, 128, 128, 8 and back.
        pytest.param("c66636f4__model_ToyCar", 2 * (640 * 128 + 3 * 128 * 128 + 128 * 8), id="autoencoder"),
        # One 10 x 4 convolution to 64 channels of 25 x 5, four depthwise-separable blocks, a dense layer.
        pytest.param(
            "aeea4368__kws_ref_model",
            125 * 64 * 40 + 4 * 125 * 64 * (9 + 64) + 64 * 12,
            id="DS-CNN of keyword spotting",
        ),
        # Three stacks of 16, 32 and 64 channels on 32 x 32, 16 x 16 and 8 x 8.
        pytest.param(
            "3c002613__pretrainedResnet_quant",
            1024 * 16 * 9 * (3 + 16 + 16) + 256 * 32 * (9 * (16 + 32) + 16) + 64 * 64 * (9 * (32 + 64) + 32) + 640,
            id="ResNet-8",
        ),
    ],
)
def test_the_models_of_mlperf_tiny_have_the_multiply_accumulates_of_their_layers(
    data: Path, name: str, count: int
) -> None:
    assert totals(read_file(data / "tflite" / f"mlcommons__tiny__{name}.tflite")).macs == count
