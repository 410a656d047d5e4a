"""A small float network, the integer one that TensorFlow's quantizer makes of it, and samples: for tests of passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.integers import hold
from edgecompile.compress.subject import Subject
from edgecompile.convert.requantize import requantize
from edgecompile.core.recipe import Scheme
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
INT8 = Scheme(numerics="int8", io_dtype="int8")


def floats(seed: int = 0, activation: str = "RELU") -> Network:
    """CONV_2D 3 to 6, DEPTHWISE_CONV_2D, CONV_2D 1x1 to 4, MEAN, FULLY_CONNECTED to 3; of unlike ranges."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int, by: int | None = None) -> Array:
        values = rng.normal(size=shape)
        return (values * 2.0 ** rng.integers(-3, 3, shape[by]) if by is not None else values).astype(np.float32)

    build = NetworkBuilder()
    x = build.input("x", (1, 8, 8, 3))
    first = build.tensor("first", (1, 8, 8, 6))
    weights = np.moveaxis(draw(3, 3, 3, 6, by=3), 3, 0)
    bias = build.constant("b0", draw(6))
    build.op("CONV_2D", [x, build.constant("w0", np.ascontiguousarray(weights) / 5), bias], [first],
             padding="SAME", fused_activation_function=activation)  # fmt: skip
    deep = build.tensor("deep", (1, 8, 8, 6))
    filters = build.constant("w1", draw(1, 3, 3, 6, by=3) / 3)
    build.op("DEPTHWISE_CONV_2D", [first, filters, build.constant("b1", draw(6))], [deep],
             padding="SAME", fused_activation_function=activation)  # fmt: skip
    point = build.tensor("point", (1, 8, 8, 4))
    build.op("CONV_2D", [deep, build.constant("w2", draw(4, 1, 1, 6) / 2), build.constant("b2", draw(4))],
             [point], padding="SAME", fused_activation_function=activation)  # fmt: skip
    mean = build.tensor("mean", (1, 4))
    build.op("MEAN", [point, build.constant("axes", np.array([1, 2], np.int32))], [mean])
    y = build.tensor("y", (1, 3))
    build.op("FULLY_CONNECTED", [mean, build.constant("w3", draw(3, 4)), build.constant("b3", draw(3))], [y])
    return build.output(y).build()


def samples(count: int = 64, seed: int = 1) -> Samples:
    """Noise, labelled by the sign of a channel's mean, which the network can learn."""
    x = np.random.default_rng(seed).normal(size=(count, 8, 8, 3)).astype(np.float32)
    return Samples(x=(x,), y=((x[..., 0].mean(axis=(1, 2)) > 0).astype(np.int64),))


TOP1 = Score(name="top-1", of=lambda outputs, some: float(np.mean(outputs[0].argmax(-1) == some.y[0])))


def context(validated: bool = True, scheme: Scheme = INT8, **changes: Any) -> Context:
    """Training, validation and calibration samples, and the true quantizer."""
    calibration = samples(32, seed=3)

    def quantize(network: Network, float_outputs: Sequence[str] = ()) -> Network:
        return requantize(network, scheme, calibration.x, "model", float_outputs)

    plain: dict[str, Any] = {
        "quantize": quantize,
        "quantize_partly": quantize,
        "train": samples(96),
        "validation": samples(64, seed=2) if validated else None,
        "calibration": Samples(x=calibration.x),
        "score": TOP1 if validated else None,
    }
    return Context(**{**plain, **changes})


def integers(given: Context, subject: Subject | None = None) -> Subject:
    """The integer subject of a float one (None: the small network)."""
    one = subject or Subject(network=floats(), teacher=floats())
    return replace(one, network=hold(given.quantize(one.network), one.network, one.held), origin=one)
