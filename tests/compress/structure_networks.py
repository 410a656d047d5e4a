"""Random float networks whose every operator keeps zeros, and running them in the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs import litert

Array = np.ndarray[Any, Any]


class Chain:
    """Grows a network of convolutions; ``widths`` may repeat so that values can be added."""

    def __init__(self, seed: int, size: int = 6, channels: int = 3) -> None:
        self.random = np.random.default_rng(seed)
        self.build = NetworkBuilder()
        self.x = self.build.input("x", (1, size, size, channels))
        self.count = 0

    def name(self, kind: str) -> str:
        """A fresh name."""
        self.count += 1
        return f"{kind}{self.count}"

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.build.tensors[tensor].shape

    def weights(self, *shape: int) -> int:
        """Random weights scaled so that values stay near one."""
        values = self.random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        return self.build.constant(self.name("w"), values.astype(np.float32))

    def bias(self, size: int) -> int:
        """Random biases."""
        return self.build.constant(self.name("b"), self.random.normal(size=size).astype(np.float32))

    def conv(self, x: int, outputs: int, size: int = 3, act: str = "RELU") -> int:
        """A convolution of stride 1 with padding."""
        n, h, w, c = self.shape(x)
        y = self.build.tensor(self.name("conv"), (n, h, w, outputs))
        inputs = [x, self.weights(outputs, size, size, c), self.bias(outputs)]
        return self.build.op("CONV_2D", inputs, [y], padding="SAME", fused_activation_function=act)

    def depthwise(self, x: int, multiplier: int = 1) -> int:
        """A depthwise convolution of stride 1 with padding."""
        n, h, w, c = self.shape(x)
        y = self.build.tensor(self.name("depthwise"), (n, h, w, c * multiplier))
        inputs = [x, self.weights(1, 3, 3, c * multiplier), self.bias(c * multiplier)]
        return self.build.op(
            "DEPTHWISE_CONV_2D", inputs, [y], padding="SAME", depth_multiplier=multiplier,
            fused_activation_function="RELU6",
        )  # fmt: skip

    def op(self, name: str, inputs: list[int], shape: tuple[int, ...], **options: Any) -> int:
        """Any operator of one output."""
        return self.build.op(name, inputs, [self.build.tensor(self.name(name.lower()), shape)], **options)

    def integers(self, *values: Any) -> int:
        """A constant of int32."""
        return self.build.constant(self.name("i"), np.array(values, np.int32))

    def dense(self, x: int, outputs: int, act: str = "NONE") -> int:
        """A fully connected layer on the last axis, or on all of a value read flat."""
        columns = int(np.prod(self.shape(x)[1:]))
        y = self.build.tensor(self.name("dense"), (1, outputs))
        inputs = [x, self.weights(outputs, columns), self.bias(outputs)]
        return self.build.op("FULLY_CONNECTED", inputs, [y], fused_activation_function=act)

    def flat(self, x: int) -> int:
        """RESHAPE to [1, all]."""
        columns = int(np.prod(self.shape(x)))
        return self.op("RESHAPE", [x, self.integers(1, columns)], (1, columns), new_shape=(1, columns))

    def mean(self, x: int) -> int:
        """The mean over the image."""
        n, _, _, c = self.shape(x)
        return self.op("MEAN", [x, self.integers(1, 2)], (n, c), keep_dims=False)

    def end(self, *outputs: int) -> Network:
        """The network."""
        return self.build.output(*outputs).build()


def run(network: Network, x: Array) -> tuple[Array, ...]:
    """Outputs of the interpreter for samples first."""
    answer = litert.invoke(write(network), [x], runtime=litert.choose("tflite"), resolver="reference", workers=1)
    return answer.arrays
