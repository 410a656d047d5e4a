"""Small Keras models for the tests of `convert`, and TFLite's own interpreter to run what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.libs.keras import tensorflow, tf_keras

Array = np.ndarray[Any, Any]


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def image_model(name: str = "model") -> Any:
    """Convolution, flatten, softmax: `image` [8, 8, 3] to `scores` [5]."""
    keras = tf_keras()
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3), batch_size=1, name="image")
    hidden = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    hidden = keras.layers.DepthwiseConv2D(3, activation="relu6", name="depthwise")(hidden)
    hidden = keras.layers.Flatten(name="flatten")(hidden)
    return keras.Model(image, keras.layers.Dense(5, activation="softmax", name="scores")(hidden), name=name)


def many_ends() -> Any:
    """Three inputs and three outputs whose order is neither alphabetical nor that of their shapes."""
    keras = tf_keras()
    keras.utils.set_random_seed(2)
    zebra, apple, mango = (keras.Input((size,), name=name) for name, size in (("zebra", 3), ("apple", 3), ("mango", 2)))
    # A layer for each input: CONCATENATION would give all of them one scale.
    parts = [keras.layers.Dense(4, name=f"of_{given.name}")(given) for given in (zebra, apple, mango)]
    mixed = keras.layers.Concatenate(name="mix")(parts)
    outputs = [keras.layers.Dense(size, name=name)(mixed) for name, size in (("y", 4), ("b", 2), ("x", 4))]
    return keras.Model([zebra, apple, mango], outputs, name="many")


def of_layers(shape: Sequence[int | None], *layers: Any, dtype: str | None = None) -> Any:
    keras = tf_keras()
    keras.utils.set_random_seed(3)
    given = tensor = keras.Input(shape, name="x", dtype=dtype)
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(given, tensor, name="model")


def interpreter(content: bytes) -> Any:
    lite = tensorflow().lite
    # Not BUILTIN_REF: TF 2.20 registers no REVERSE_V2 of version 3 there.
    kernels = lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runner = lite.Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    runner.allocate_tensors()
    return runner


def run_integers(content: bytes, samples: Sequence[Array]) -> list[Array]:
    """Outputs as stored, for float inputs (batch included) that are quantized here."""
    runner = interpreter(content)
    for detail, sample in zip(runner.get_input_details(), samples, strict=True):
        runner.set_tensor(detail["index"], quantized(sample, detail))
    runner.invoke()
    return [runner.get_tensor(detail["index"]) for detail in runner.get_output_details()]


def run(content: bytes, samples: Sequence[Array]) -> list[Array]:
    """Outputs as real numbers."""
    details = interpreter(content).get_output_details()
    return [dequantized(value, detail) for value, detail in zip(run_integers(content, samples), details, strict=True)]


def quantized(real: Array, detail: dict[str, Any]) -> Array:
    scale, zero_point = detail["quantization"]
    if scale == 0:
        return real.astype(detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(real / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def dequantized(stored: Array, detail: dict[str, Any]) -> Array:
    scale, zero_point = detail["quantization"]
    return stored.astype(np.float32) if scale == 0 else ((stored.astype(np.float32) - zero_point) * scale)
