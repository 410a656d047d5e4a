"""Published networks rebuilt as graphs with their shapes and no weights (used by `bench coral --latency`)."""

from __future__ import annotations

import sys
from collections.abc import Callable

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

    def depthwise(self, stride: int = 1, kernel: int = 3) -> Graph:
        _, height, width, depth = self.shape
        w = self._weights((1, kernel, kernel, depth))
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

    def branches(self, *ways: Callable[[Graph], object]) -> Graph:
        """Each way from here, joined along the channels."""
        start, shape, ends, channels = self.x, self.shape, [], 0
        for way in ways:
            self.x, self.shape = start, shape
            way(self)
            ends.append(self.x)
            channels += self.shape[3]
        self._op("CONCATENATION", ends, (*self.shape[:3], channels))
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


def squeezenet() -> Network:
    """Version 1.0."""
    graph = Graph(224).conv(96, 7, 2).pool(2, 3)
    for squeeze, expand, pooled in (
        (16, 64, 0), (16, 64, 0), (32, 128, 1), (32, 128, 0), (48, 192, 0), (48, 192, 0), (64, 256, 1), (64, 256, 0),
    ):  # fmt: skip
        graph.conv(squeeze, 1).branches(lambda g, n=expand: g.conv(n, 1), lambda g, n=expand: g.conv(n, 3))
        if pooled:
            graph.pool(2, 3)
    return graph.conv(1000, 1).mean().network()


def inception_v1() -> Network:
    """GoogLeNet's nine modules: 1 x 1, reduced 3 x 3, reduced 3 x 3 (TF-Slim's 5 x 5), pooled."""
    graph = Graph(224).conv(64, 7, 2).pool(2, 3).conv(64, 1).conv(192, 3).pool(2, 3)
    for number, (a, b1, b2, c1, c2, d) in enumerate((
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128),
        (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    )):  # fmt: skip
        if number in (2, 7):
            graph.pool(2, 3)
        graph.branches(
            lambda g, n=a: g.conv(n, 1),
            lambda g, m=b1, n=b2: g.conv(m, 1).conv(n, 3),
            lambda g, m=c1, n=c2: g.conv(m, 1).conv(n, 3),
            lambda g, n=d: g.pool(1, 3).conv(n, 1),
        )
    return graph.mean().dense(1001).network()


def efficientnet_edgetpu(size: int, wide: float, deep: float) -> Network:
    """Its first stages widen by the 3 x 3 convolution itself, its later ones as MobileNetV2 does; no squeezing."""

    def rounded(channels: int) -> int:
        near = max(8, int(channels * wide + 4) // 8 * 8)
        return near + 8 if near < 0.9 * channels * wide else near

    graph = Graph(size).conv(rounded(32), 3, 2)
    for count, kernel, stride, expand, channels, fused in (
        (1, 3, 1, 4, 24, True), (2, 3, 2, 8, 32, True), (4, 3, 2, 8, 48, True), (5, 5, 2, 8, 96, False),
        (4, 5, 1, 8, 144, False), (2, 5, 2, 8, 192, False),
    ):  # fmt: skip
        for index in range(-int(-count * deep // 1)):
            before, depth, steps = graph.x, graph.shape[3], stride if index == 0 else 1
            if fused:
                graph.conv(depth * expand, kernel).conv(rounded(channels), 1, steps)
            else:
                graph.conv(depth * expand, 1).depthwise(steps, kernel).conv(rounded(channels), 1)
            if index:
                graph._op("ADD", [before, graph.x], graph.shape)
    return graph.conv(rounded(1280), 1).mean().dense(1001).network()


def rebuilt() -> dict[str, Network]:
    """The networks that are rebuilt here, by name and input size of the published tables."""
    return {
        "MobileNet V1 0.25, 128": mobilenet_v1(128, 0.25),
        "MobileNet v1, 224": mobilenet_v1(224, 1.0),
        "MobileNet v2, 224": mobilenet_v2(224),
        "ResNet-50 V1, 299": resnet_50(299),
        "VGG16, 224": vgg((2, 2, 3, 3, 3)),
        "VGG19, 224": vgg((2, 2, 4, 4, 4)),
        "SqueezeNet, 224": squeezenet(),
        "Inception v1, 224": inception_v1(),
        "EfficientNet-EdgeTpu-S, 224": efficientnet_edgetpu(224, 1.0, 1.0),
        "EfficientNet-EdgeTpu-M, 240": efficientnet_edgetpu(240, 1.0, 1.1),
        "EfficientNet-EdgeTpu-L, 300": efficientnet_edgetpu(300, 1.2, 1.4),
    }


if __name__ == "__main__":
    sys.exit("run `scripts/bench coral --latency`")
