"""One-operator networks and the profile's own constants, for the tests of the Edge TPU's model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from edgecompile.config.profiles import load
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.measure.edgetpu.device import Device, device_of


def device() -> Device:
    """What `coral` states."""
    return device_of(load("coral").measure)


def weighted(name: str, shape: Sequence[int], weights: Sequence[int], out: Sequence[int], channels: int = 1) -> Network:
    """An operator with weights; ``channels`` scales."""
    build = NetworkBuilder()
    x = build.input("x", shape, "int8", scale=0.1)
    scale = 0.1 if channels == 1 else (0.1,) * channels
    w = build.constant("w", np.zeros(weights, np.int8), scale=scale, axis=3 if name == "DEPTHWISE_CONV_2D" else 0)
    y = build.tensor("y", out, "int8", scale=0.1)
    build.op(name, [x, w], [y])
    return build.output(y).build()


def chain(sizes: Sequence[int]) -> Network:
    """Dense layers of these sizes."""
    build = NetworkBuilder()
    x = build.input("x", (1, sizes[0]), "int8", scale=0.1)
    for number, (before, after) in enumerate(itertools.pairwise(sizes)):
        w = build.constant(f"w{number}", np.zeros((after, before), np.int8), scale=0.1)
        y = build.tensor(f"y{number}", (1, after), "int8", scale=0.1)
        build.op("FULLY_CONNECTED", [x, w], [y])
        x = y
    return build.output(x).build()


def shaped(name: str, shapes: Sequence[Sequence[int]], out: Sequence[int]) -> Network:
    """A RELU6 of each input, so that none is the model's own, then the operator."""
    build = NetworkBuilder()
    made = []
    for number, shape in enumerate(shapes):
        x = build.input(f"x{number}", shape, "int8", scale=0.1)
        made.append(build.tensor(f"r{number}", shape, "int8", scale=0.1))
        build.op("RELU6", [x], [made[-1]])
    y = build.tensor("y", out, "int8", scale=0.1)
    build.op(name, made, [y])
    return build.output(y).build()


def recurrent(steps: int, depth: int, units: int) -> Network:
    """A long short-term memory; operands 1 to 8 are the gates' weights of the input and of the state."""
    build = NetworkBuilder()
    x = build.input("x", (1, steps, depth), "int8", scale=0.1)
    sizes = [(units, depth)] * 4 + [(units, units)] * 4
    weights = [build.constant(f"w{i}", np.zeros(size, np.int8), scale=0.1) for i, size in enumerate(sizes)]
    y = build.tensor("y", (1, steps, units), "int8", scale=0.1)
    build.op("UNIDIRECTIONAL_SEQUENCE_LSTM", [x, *weights], [y])
    return build.output(y).build()
