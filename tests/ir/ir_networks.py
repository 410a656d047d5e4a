"""Small networks for tests, and small changes of written ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ir_walk import differences

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.pack import _finish
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.libs.schema import schema

Change = Callable[[Any], None]


def conv_network(seed: int = 0) -> Network:
    """int8 CONV_2D per channel with bias, then SOFTMAX over what a RESHAPE gives."""
    random = np.random.default_rng(seed)
    build = NetworkBuilder(description="made for tests")
    x = build.input("x", (1, 8, 8, 3), "int8", 0.5, 3)
    w = build.constant("w", random.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), scale=(0.1, 0.2, 0.3, 0.4))
    b = build.constant("b", random.integers(-999, 999, 4).astype(np.int32), scale=(0.05, 0.1, 0.15, 0.2))
    c = build.tensor("c", (1, 8, 8, 4), "int8", 0.25, -3)
    build.op("CONV_2D", [x, w, b], [c], padding="SAME", fused_activation_function="RELU6")
    shape = build.constant("shape", np.array([1, 256], np.int32))
    flat = build.tensor("flat", (1, 256), "int8", 0.25, -3)
    build.op("RESHAPE", [c, shape], [flat], new_shape=(1, 256))
    y = build.tensor("y", (1, 256), "int8", 1 / 256, -128)
    build.op("SOFTMAX", [flat], [y])
    return build.output(y).signature().build()


def raw_model(content: bytes) -> Any:
    """The flatbuffer as objects that can be changed, by flatbuffers' own reader."""
    return schema().ModelT.InitFromPackedBuf(content, 0)


def packed(model: Any) -> bytes:
    """The inverse of :func:`raw_model`, by flatbuffers' own writer."""
    return _finish(model, 1024)


def changed(content: bytes, change: Change) -> bytes:
    """The file with its objects changed in a way that the compiler itself would not write."""
    model = raw_model(content)
    change(model)
    return packed(model)


def kept(content: bytes) -> Network:
    """The network of a file, after checking that it survives a write with all raw objects."""
    network = read(content)
    written = write(network)
    assert list(differences(network, read(written))) == []
    assert write(read(written)) == written
    return network
