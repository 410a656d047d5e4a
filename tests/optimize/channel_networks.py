"""Networks with constant and unused channels, and such where they must stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from optimize_networks import Net

from edgecompile.ir.network import Network, Quantization

IN, LEFT = 3, 5  # channels of the input, and of the value whose channels go, where all stay


@dataclass
class Chain:
    """A network built operator by operator, each reading what the one before made."""

    net: Net
    at: int
    source: int

    def conv(self, channels: int, kernel: int = 1, zero: int = -128, name: str = "CONV_2D", **options: Any) -> Chain:
        """A convolution of stride 1 whose outputs use most of the range of int8."""
        shape = self.shape
        cut = kernel - 1 if options.get("padding") == "VALID" else 0
        scale = 0.1 if self.at == self.source else 0.5
        made = self.net.tensor((1, shape[1] - cut, shape[2] - cut, channels), scale=scale, zero=zero)
        self.net.conv(self.at, made, kernel, name, **options)
        return Chain(self.net, made, self.source)

    def op(self, name: str, shape: tuple[int, ...], *constants: int, zero: int = -128, **options: Any) -> Chain:
        """Another operator, its output like its input but for the shape."""
        scale = self.net.tensors[self.at].quantization
        assert scale is not None
        made = self.net.tensor(shape, scale=scale.scales[0], zero=zero)
        self.net.op(name, [self.at, *constants], [made], 1 if name == "RESHAPE" else 2, **options)
        return Chain(self.net, made, self.source)

    def silence(self, operator: int, channels: list[int], bias: int = -4000, axis: int = 0) -> Chain:
        """Set the weights of these channels of an operator to 0, and their biases if they are output channels."""
        inputs = self.net.operators[operator].inputs
        weights, biases = (self.net.tensors[index].array for index in inputs[1:3])
        assert weights is not None and biases is not None
        changed = weights.copy()
        changed[(slice(None),) * (axis % weights.ndim) + (channels,)] = 0
        self.net.replace_constant(inputs[1], changed)
        if axis in (0, 3) and changed.shape[axis] == len(biases):
            self.net.replace_constant(inputs[2], np.where(np.isin(np.arange(len(biases)), channels), bias, biases))
        return self

    def biased(self, operator: int, channel: int, value: int) -> Chain:
        """Set one bias of an operator."""
        bias = self.net.operators[operator].inputs[2]
        before = self.net.tensors[bias].array
        assert before is not None
        self.net.replace_constant(bias, np.where(np.arange(len(before)) == channel, value, before))
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        return self.net.tensors[self.at].shape

    def done(self, *outputs: int) -> Network:
        return self.net.network([self.source], [self.at, *outputs], signature=True)


def start(size: int = 6) -> Chain:
    net = Net()
    source = net.tensor((1, size, size, IN), zero=-7, name="in")
    return Chain(net, source, source)


def dense(chain: Chain, outputs: int = 4) -> Chain:
    net, width = chain.net, chain.shape[-1]
    made = net.tensor((1, outputs), scale=0.5, zero=3)
    weights, bias = net.weights((outputs, width)), net.bias(outputs)
    plain = {"fused_activation_function": "NONE", "weights_format": "DEFAULT", "keep_num_dims": False}
    net.op("FULLY_CONNECTED", [chain.at, weights, bias], [made], 4, **plain)
    return Chain(net, made, chain.source)


def pooled(chain: Chain, name: str) -> Chain:
    height, width = chain.shape[1:3]
    sizes = {"filter_height": height, "filter_width": width, "stride_h": 1, "stride_w": 1}
    shape = (1, 1, 1, chain.shape[3])
    return chain.op(name, shape, padding="VALID", fused_activation_function="NONE", **sizes)


def flat(chain: Chain) -> Chain:
    shape = (1, chain.shape[-1])
    return chain.op("RESHAPE", shape, chain.net.constant(shape), new_shape=shape)


def per_channel(chain: Chain, operator: int, axis: int) -> Chain:
    """Give the weights and the bias of an operator a scale for each channel."""
    tensors, (source, weights, bias) = chain.net.tensors, chain.net.operators[operator].inputs
    count, given = tensors[bias].shape[0], tensors[source].quantization
    assert given is not None
    scales = tuple(0.01 + 0.001 * channel for channel in range(count))
    zeros = (0,) * count
    tensors[weights] = replace(tensors[weights], quantization=Quantization(scales=scales, zero_points=zeros, axis=axis))
    products = tuple(scale * given.scales[0] for scale in scales)
    tensors[bias] = replace(tensors[bias], quantization=Quantization(scales=products, zero_points=zeros))
    return chain


RELU = {"fused_activation_function": "RELU"}
DEPTHWISE = {"name": "DEPTHWISE_CONV_2D", "kernel": 3, **RELU}


def separable(bias: int, inner_zero: int = -128, **options: Any) -> Chain:
    """1x1, depthwise 3x3, 1x1 as in MobileNet; channels 1 and 3 of the first are silent."""
    chain = start().conv(LEFT, zero=inner_zero).conv(LEFT, **{**DEPTHWISE, **options}).conv(4, zero=3)
    return chain.silence(0, [1, 3], bias)


# name: network, channels left in the first operator's output
FOLDED: dict[str, tuple[Network, int]] = {
    "1x1 behind, constant is the zero point": (start().conv(LEFT, **RELU).conv(4).silence(0, [1, 3]).done(), 3),
    "1x1 behind, another constant": (start().conv(LEFT).conv(4).silence(0, [1, 3], 9000).done(), 3),
    "3x3 VALID, another constant": (
        start().conv(LEFT).conv(4, 3, padding="VALID").silence(0, [0, 4], 9000).done(),
        3,
    ),
    "3x3 SAME, constant is the zero point": (start().conv(LEFT).conv(4, 3).silence(0, [2]).done(), 4),
    "depthwise SAME of the zero point": (separable(-4000).done(), 3),
    "depthwise VALID of another constant": (separable(9000, padding="VALID").done(), 3),
    "depthwise SAME without weights": (
        separable(9000).silence(1, [1, 3], 700, axis=3).done(),
        3,
    ),
    "depthwise SAME without weights, of what is not constant": (
        start().conv(LEFT).conv(LEFT, **DEPTHWISE).conv(4).silence(1, [0, 2], 700, axis=3).done(),
        3,
    ),
    "depthwise SAME that clamps border and inside": (
        separable(2000).biased(1, 3, -30000).done(),
        4,
    ),
    "a scale for each channel": (
        per_channel(per_channel(per_channel(separable(-4000), 0, 0), 1, 3), 2, 0).done(),
        3,
    ),
    "average and dense": (
        dense(flat(pooled(start().conv(LEFT, **RELU), "AVERAGE_POOL_2D"))).silence(0, [1, 3], 9000).done(),
        3,
    ),
    "maximum and dense": (
        dense(flat(pooled(start().conv(LEFT), "MAX_POOL_2D"))).silence(0, [1, 3], 9000).done(),
        3,
    ),
    "RELU on its own": (
        (made := start().conv(LEFT, zero=5)).op("RELU", made.shape, zero=5).conv(4).silence(0, [0], -900).done(),
        4,
    ),
    "nobody has weights for it": (start().conv(LEFT).conv(4, 3).silence(1, [0, 1, 2], axis=3).done(), 2),
    "nobody has weights for it behind a depthwise": (
        start().conv(LEFT).conv(LEFT, **DEPTHWISE).conv(4).silence(2, [0, 1], axis=3).done(),
        3,
    ),
    "all constant: one stays": (start().conv(LEFT).conv(4).silence(0, list(range(LEFT)), 300).done(), 1),
}


def with_add() -> Network:
    chain = start().conv(LEFT).silence(0, [1])
    total = chain.net.tensor(chain.shape, scale=0.1, zero=-128)
    chain.net.op("ADD", [chain.at, chain.at], [total], 2, fused_activation_function="NONE", pot_scale_int16=True)
    return Chain(chain.net, total, chain.source).conv(4).done()


def with_second_reader() -> Network:
    chain = start().conv(LEFT).silence(0, [1])
    side = chain.net.tensor((1, 6, 6, 2 * LEFT), scale=0.1, zero=-128)
    chain.net.op("CONCATENATION", [chain.at, chain.at], [side], 2, axis=3, fused_activation_function="NONE")
    return chain.conv(4).done(side)


def with_large_bias() -> Network:
    chain = start().conv(LEFT).conv(4).silence(0, [1], 9000)
    limit = np.iinfo(np.int32)
    weights = chain.net.tensors[chain.net.operators[1].inputs[1]].array
    assert weights is not None
    ends = [limit.max if row[0, 0, 1] > 0 else limit.min for row in weights]
    chain.net.replace_constant(chain.net.operators[1].inputs[2], ends)
    return chain.done()


def without_bias() -> Network:
    chain = dense(flat(pooled(start().conv(LEFT), "MAX_POOL_2D"))).silence(0, [1], 9000)
    last = chain.net.operators[-1]
    chain.net.operators[-1] = replace(last, inputs=(*last.inputs[:2], -1))
    return chain.done()


def output_of_first() -> Network:
    chain = start().conv(LEFT).silence(0, [1])
    return chain.conv(4).done(chain.at)


REFUSED = {
    "no channel is constant": start().conv(LEFT).conv(4, 3).done(),
    "3x3 SAME of a constant that is not the zero point": start().conv(LEFT).conv(4, 3).silence(0, [1], 9000).done(),
    "depthwise SAME of a constant that is not the zero point": separable(
        500, inner_zero=0, zero=0, fused_activation_function="NONE"
    ).done(),
    "an ADD reads it": with_add(),
    "another operator needs all channels": with_second_reader(),
    "it is the output": start().conv(LEFT).silence(0, [1]).done(),
    "it is an output and read": output_of_first(),
    "the bias would overflow": with_large_bias(),
    "there is no bias to add to": without_bias(),
    "dense layer over a whole plane": dense(
        (made := start().conv(LEFT).silence(0, [1])).op(
            "RESHAPE", (1, 36 * LEFT), made.net.constant([1, 36 * LEFT]), new_shape=(1, 36 * LEFT)
        )
    ).done(),
}


def halves(weights_scale: float, bias: int) -> Network:
    """A channel of bias 0.5 · weights_scale · bias / 0.5 in steps of its output, with no weights."""
    net = Net()
    source, made, result = (net.tensor((1, 2, 2, size), scale=0.5) for size in (IN, LEFT, 4))
    for before, behind in ((source, made), (made, result)):
        net.conv(before, behind, 1)
        for index, scale in zip(net.operators[-1].inputs[1:], (weights_scale, 0.5 * weights_scale), strict=True):
            form = Quantization(scales=(scale,), zero_points=(0,))
            net.tensors[index] = replace(net.tensors[index], quantization=form)
    return Chain(net, result, source).silence(0, [1], bias).done()


ROUNDED = {
    "the reference upwards, float32 to even": (halves(0.5, 1), 0),
    "twice away from zero, once upwards": (halves(0.25, -2), 0),
    "all the same": (halves(0.5, 2), 1),
}


def changed(position: int, **fields: Any) -> Network:
    """A network with a constant channel, but an input of the layer behind is of another kind."""
    chain = start().conv(LEFT).conv(4).silence(0, [1])
    index = chain.net.operators[1].inputs[position]
    chain.net.tensors[index] = replace(chain.net.tensors[index], **fields)
    return chain.done()


OTHER_KINDS = {
    "weights with a zero point": changed(1, quantization=Quantization(scales=(0.02,), zero_points=(3,))),
    "weights that may change": changed(1, is_variable=True),
    "weights of other bits": changed(1, dtype="uint8"),
    "a value of unknown height": changed(0, shape_signature=(-1, -1, 6, LEFT)),
    "a value without scale": changed(0, quantization=None),
}
