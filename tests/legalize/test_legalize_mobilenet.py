"""MobileNetV2 on Android NNAPI at level 30, by the delegate's rules: operators taken, and pieces they fall into.

The expected numbers were counted with the delegate's rules outside of this project (LiteRT commit f674577).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from edgecompile.config.profiles import load
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check
from edgecompile.legalize.proof import compare
from edgecompile.libs import delegates

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]

SHAPE = (1, 96, 96, 3)  # the operators do not depend on the size of the image


@pytest.fixture(scope="module")
def converter() -> Any:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras

    model = tf_keras.applications.MobileNetV2(input_shape=SHAPE[1:], weights=None, alpha=0.35)
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec(SHAPE, tf.float32))

    def make() -> Any:
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)

    return make


def samples() -> Iterator[list[Any]]:
    import numpy as np

    for seed in range(2):
        yield [np.random.default_rng(seed).random(SHAPE, dtype=np.float32)]


def float32(converter: Any) -> bytes:
    content: bytes = converter.convert()
    return content


def dynamic(converter: Any) -> bytes:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return float32(converter)


def int8(converter: Any) -> bytes:
    import tensorflow as tf

    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return dynamic(converter)


def int8_per_tensor_dense(converter: Any) -> bytes:
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    return int8(converter)


@pytest.mark.parametrize(
    ("convert", "taken", "partitions"),
    [(float32, 65, 1), (int8, 64, 2), (int8_per_tensor_dense, 65, 1), (dynamic, 47, 19)],
    ids=["float32", "int8", "int8, dense per tensor", "dynamic range"],
)
def test_partitions_of_mobilenet_v2(converter: Any, convert: Any, taken: int, partitions: int) -> None:
    network = read(convert(converter()))

    verdict = check(network, load("android-nnapi"), "mobilenet_v2.tflite")

    own_reasons = [placed for placed in verdict.placements if placed.reason and "partitions" not in placed.reason]
    assert len(verdict.placements) == 65
    assert 65 - len(own_reasons) == taken
    assert verdict.partitions == partitions


@pytest.mark.parametrize(
    ("convert", "partitions"),
    [(float32, 1), (int8, 1), (dynamic, 11)],
    ids=["float32", "int8", "dynamic range"],
)
def test_parts_of_mobilenet_v2_in_xnnpack(converter: Any, convert: Any, partitions: int) -> None:
    """The numbers are those of ``DELEGATE`` nodes in ai-edge-litert 2.3.0 on x86."""
    content = convert(converter())
    network, target = read(content), load("android-cpu")

    assert check(network, target, "mobilenet_v2.tflite").partitions == partitions
    asked = delegates.ask("xnnpack", [content])
    if "ai-edge-litert 2.3" in asked.described:
        assert compare(network, target, asked.answers[0].taken, asked.answers[0].partitions).agrees
