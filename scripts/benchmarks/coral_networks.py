"""Published networks rebuilt as graphs with their shapes and no weights (used by `bench coral --latency`)."""

from __future__ import annotations

import sys

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

SCALE = 0.1


class Graph:
    """An int8 network in a few lines; the builder's values are zeros."""

    def __init__(self, size: int) -> None:
        self.build = NetworkBuilder()
        self.shape = (1, size, size, 3)
        self.x = self.build.input("x", self.shape, "int8", scale=SCALE)

    def _op(self, name: str, inputs: list[int], shape: tuple[int, ...], **options: object) -> int:
        self.shape, y = shape, self.build.tensor(f"t{len(self.build.tensors)}", shape, "int8", scale=SCALE)
        self.build.op(name, inputs, [y], **options)
        self.x = y
        return y

    def _weights(self, shape: tuple[int, ...]) -> int:
        return self.build.constant(f"w{len(self.build.tensors)}", np.zeros(shape, np.int8), scale=SCALE)

    def conv(self, channels: int, kernel: int = 3, stride: int = 1) -> Graph:
        _, height, width, depth = self.shape
        w = self._weights((channels, kernel, kernel, depth))
        self._op("CONV_2D", [self.x, w], (1, -(-height // stride), -(-width // stride), channels), padding="SAME")
        return self

    def depthwise(self, stride: int = 1) -> Graph:
        _, height, width, depth = self.shape
        w = self._weights((1, 3, 3, depth))
        out = (1, -(-height // stride), -(-width // stride), depth)
        self._op("DEPTHWISE_CONV_2D", [self.x, w], out, padding="SAME")
        return self

    def pool(self, stride: int, kernel: int) -> Graph:
        _, height, width, depth = self.shape
        out = (1, -(-height // stride), -(-width // stride), depth)
        self._op("MAX_POOL_2D", [self.x], out, filter_height=kernel, filter_width=kernel)
        return self

    def dense(self, units: int) -> Graph:
        count = int(np.prod(self.shape))
        if len(self.shape) == 4:
            self._op("RESHAPE", [self.x], (1, count))
        self._op("FULLY_CONNECTED", [self.x, self._weights((units, count))], (1, units))
        return self

    def mean(self) -> Graph:
        _, height, width, depth = self.shape
        self._op("AVERAGE_POOL_2D", [self.x], (1, 1, 1, depth), filter_height=height, filter_width=width)
        return self

    def network(self) -> Network:
        return self.build.output(self.x).build()


def mobilenet_v1(size: int, alpha: float) -> Network:
    graph = Graph(size).conv(int(32 * alpha), 3, 2)
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for channels, stride in blocks:
        graph.depthwise(stride).conv(int(channels * alpha), 1)
    return graph.mean().dense(1001).network()


def mobilenet_v2(size: int) -> Network:
    graph = Graph(size).conv(32, 3, 2)
    for expand, channels, count, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for index in range(count):
            before, depth = graph.x, graph.shape[3]
            if expand > 1:
                graph.conv(depth * expand, 1)
            graph.depthwise(first if index == 0 else 1).conv(channels, 1)
            if index:
                graph._op("ADD", [before, graph.x], graph.shape)
    return graph.conv(1280, 1).mean().dense(1001).network()


def vgg(counts: tuple[int, ...]) -> Network:
    graph = Graph(224)
    for count, channels in zip(counts, (64, 128, 256, 512, 512), strict=True):
        for _ in range(count):
            graph.conv(channels)
        graph.pool(2, 2)
    return graph.dense(4096).dense(4096).dense(1000).network()


def resnet_50(size: int) -> Network:
    graph = Graph(size).conv(64, 7, 2).pool(2, 3)
    for number, (count, middle) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512))):
        for index in range(count):
            stride = 2 if index == 0 and number else 1
            before, shape = graph.x, graph.shape
            graph.conv(middle, 1, stride).conv(middle).conv(4 * middle, 1)
            after = graph.x
            if index == 0:
                graph.x, graph.shape = before, shape
                graph.conv(4 * middle, 1, stride)
                before = graph.x
            graph._op("ADD", [before, after], graph.shape)
    return graph.mean().dense(1000).network()


def PUBLISHED() -> list[tuple[str, Network, dict[str, float]]]:
    """Name, network, and milliseconds by link (coral.ai, Edge TPU performance benchmarks and model pages)."""
    return [
        ("MobileNet v1 0.25, 128", mobilenet_v1(128, 0.25), {"usb3": 0.9}),
        ("MobileNet v1, 224", mobilenet_v1(224, 1.0), {"usb3": 2.4, "pcie": 2.4}),
        ("MobileNet v2, 224", mobilenet_v2(224), {"usb3": 2.6, "pcie": 2.6}),
        ("ResNet-50, 299", resnet_50(299), {"usb3": 49, "pcie": 56}),
        ("VGG16, 224", vgg((2, 2, 3, 3, 3)), {"usb3": 296, "pcie": 343}),
        ("VGG19, 224", vgg((2, 2, 4, 4, 4)), {"usb3": 308, "pcie": 357}),
    ]


if __name__ == "__main__":
    sys.exit("run `scripts/bench coral --latency`")
