"""Pruned float networks for XNNPACK's sparse kernels: stem, depthwise and 1x1 convolutions, mean, dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

EQUAL_PADS = ((1, 1), (1, 1))


class Pruned(NetworkBuilder):
    """Grown layer by layer at ``x``; ``half``: constants in float16 behind DEQUANTIZE."""

    def __init__(self, size: int = 16, channels: int = 3, *, half: bool = False) -> None:
        super().__init__()
        self.draw, self.half = np.random.default_rng(0), half
        self.x = self.input("image", (1, size, size, channels))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.tensors[self.x].shape

    def weights(self, *shape: int, zeros: float = 0.0) -> int:
        values = (self.draw.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        values[self.draw.random(shape) < zeros] = 0
        if not self.half:
            return self.constant(f"w{len(self.tensors)}", values)
        stored = self.constant(f"w{len(self.tensors)}", values.astype(np.float16))
        return self.op("DEQUANTIZE", [stored], [self.tensor(f"dequantized{stored}", shape)])

    def put(self, name: str, inputs: Sequence[int], shape: Sequence[int], **options: Any) -> Pruned:
        self.x = self.op(name, inputs, [self.tensor(f"{name.lower()}{len(self.tensors)}", shape)], **options)
        return self

    def pad(self, rows: tuple[int, int], columns: tuple[int, int]) -> Pruned:
        n, h, w, c = self.shape
        amounts = self.constant(f"pads{len(self.tensors)}", np.asarray([(0, 0), rows, columns, (0, 0)], np.int32))
        return self.put("PAD", [self.x, amounts], (n, h + sum(rows), w + sum(columns), c))

    def conv(self, filters: int, size: int, stride: int = 1, zeros: float = 0.0, padding: str = "SAME") -> Pruned:
        weights = self.weights(filters, size, size, self.shape[3], zeros=zeros)
        shape = (1, *self._after(size, stride, padding), filters)
        inputs = [self.x, weights, self.weights(filters)]
        return self.put("CONV_2D", inputs, shape, padding=padding, stride_h=stride, stride_w=stride)

    def depthwise(self, size: int, stride: int = 1, padding: str = "SAME") -> Pruned:
        channels = self.shape[3]
        shape = (1, *self._after(size, stride, padding), channels)
        inputs = [self.x, self.weights(1, size, size, channels), self.weights(channels)]
        options = {"padding": padding, "stride_h": stride, "stride_w": stride}
        return self.put("DEPTHWISE_CONV_2D", inputs, shape, fused_activation_function="RELU6", **options)

    def mean(self, *, keep: bool = False) -> Pruned:
        axes = self.constant("axes", np.asarray([1, 2], np.int32))
        channels = self.shape[3]
        return self.put("MEAN", [self.x, axes], (1, 1, 1, channels) if keep else (1, channels), keep_dims=keep)

    def dense(self, units: int) -> Pruned:
        inputs = [self.x, self.weights(units, self.shape[-1]), self.weights(units)]
        return self.put("FULLY_CONNECTED", inputs, (1, units))

    def done(self) -> Network:
        return self.output(self.x).build()

    def _after(self, size: int, stride: int, padding: str) -> tuple[int, int]:
        _, h, w, _ = self.shape
        less = 0 if padding == "SAME" else size - 1
        return -(-(h - less) // stride), -(-(w - less) // stride)


def pruned(zeros: float = 0.8, *, half: bool = False) -> Network:
    """As it should be: everything is in the form already."""
    net = Pruned(half=half).pad(*EQUAL_PADS).conv(16, 3, 2, padding="VALID")
    return net.depthwise(3).conv(16, 1, zeros=zeros).mean().dense(4).done()
