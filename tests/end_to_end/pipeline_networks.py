"""Small .tflite files and projects for the pipeline's tests; nothing here needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.config.profiles import load
from edgecompile.core.project import Project
from edgecompile.core.target import Target
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write


def classifier(channels: int = 8) -> Network:
    """int8[1, 8, 8, 3] -> convolution with ReLU -> dense -> softmax over four classes; weights are seeded."""
    draw = np.random.default_rng(7)
    build = NetworkBuilder()
    x = build.input("image", (1, 8, 8, 3), "int8", scale=1 / 255, zero_point=-128)
    w = build.constant("w", draw.integers(-127, 128, (channels, 3, 3, 3), dtype=np.int8), scale=[0.01] * channels)
    b = build.constant("b", draw.integers(-50, 50, channels, dtype=np.int32), scale=[0.01 / 255] * channels)
    y = build.tensor("conv", (1, 4, 4, channels), "int8", scale=0.02, zero_point=-128)
    build.op("CONV_2D", [x, w, b], [y], padding="SAME", stride_w=2, stride_h=2, fused_activation_function="RELU")
    shape = build.constant("shape", np.array([1, 16 * channels], dtype=np.int32))
    flat = build.tensor("flat", (1, 16 * channels), "int8", scale=0.02, zero_point=-128)
    build.op("RESHAPE", [y, shape], [flat])
    v = build.constant("v", draw.integers(-127, 128, (4, 16 * channels), dtype=np.int8), scale=0.01)
    c = build.constant("c", np.zeros(4, dtype=np.int32), scale=0.0002)
    logits = build.tensor("logits", (1, 4), "int8", scale=0.2)
    build.op("FULLY_CONNECTED", [flat, v, c], [logits])
    out = build.tensor("class", (1, 4), "int8", scale=1 / 256, zero_point=-128)
    build.op("SOFTMAX", [logits], [out], beta=1.0)
    return build.output(out).build()


def stranger() -> Network:
    """One custom operator that no device knows."""
    build = NetworkBuilder()
    x = build.input("x", (1, 4), "int8", scale=0.1)
    y = build.tensor("y", (1, 4), "int8", scale=0.1)
    build.op("CUSTOM", [x], [y], custom_code="Frobnicate")
    return build.output(y).build()


def project(
    folder: Path, network: Network | None = None, targets: tuple[str, ...] = ("cortex-m4",), **more: Any
) -> Project:
    """A project in ``folder`` whose model is the network as ``net.tflite``."""
    (folder / "net.tflite").write_bytes(write(network or classifier()))
    given = {"model": "net.tflite", "base": folder, "targets": targets, "output": folder / "build", **more}
    return Project(**given)


def targets_of(project: Project) -> tuple[Target, ...]:
    return tuple(load(name) for name in project.targets)


def samples(path: Path, count: int = 40) -> str:
    """A seeded .npz that fits :func:`classifier`; gives its name."""
    draw = np.random.default_rng(3)
    x, y = draw.random((count, 8, 8, 3), dtype=np.float32), draw.integers(0, 4, count)
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return path.name
