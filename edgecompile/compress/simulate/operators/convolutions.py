"""Convolutions: weights come in TFLite's layouts and are turned into TensorFlow's."""

from __future__ import annotations

from typing import Any

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, UnsupportedError, Value


def conv_2d(call: Call) -> Value:
    """Weights [o, h, w, i]; fewer input channels than the value has mean groups."""
    tf, x = call.tf, call.images(0)
    kernel = tf.transpose(call.constant(1), [1, 2, 3, 0])
    groups = x.shape[-1] // kernel.shape[2]
    y = _convolve(call, x, kernel) if groups == 1 else _grouped(call, x, kernel, groups)
    return call.unmerge(finish(call, y, 2), 0)


def depthwise_conv_2d(call: Call) -> Value:
    """Weights [1, h, w, o] with o = input channels * multiplier."""
    tf, x = call.tf, call.images(0)
    weights = call.constant(1)
    height, width, channels = weights.shape[1], weights.shape[2], x.shape[-1]
    kernel = _dilated(call, tf.reshape(weights, [height, width, channels, weights.shape[3] // channels]))
    strides = (call.option("stride_h"), call.option("stride_w"))
    padding = call.option("padding")
    if strides[0] == strides[1]:
        y = tf.nn.depthwise_conv2d(x, kernel, [1, *strides, 1], padding)
    else:
        # TensorFlow wants equal strides: take every stride-th of the results at stride one.
        x = _padded(call, x, kernel, strides)
        y = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")[:, :: strides[0], :: strides[1], :]
    return call.unmerge(finish(call, y, 2), 0)


def transpose_conv(call: Call) -> Value:
    """Inputs: output shape, weights [o, h, w, i], value, bias."""
    tf, x = call.tf, call.images(2)
    kernel = tf.transpose(call.constant(1), [1, 2, 0, 3])
    _, height, width, channels = call.ints(0)
    shape = tf.stack([tf.shape(x)[0], height, width, channels])
    strides = [call.option("stride_h"), call.option("stride_w")]
    y = tf.nn.conv2d_transpose(x, kernel, shape, strides, call.option("padding"))
    y = tf.ensure_shape(y, [None, height, width, channels])
    return call.unmerge(finish(call, y, 3), 2)


def conv_3d(call: Call) -> Value:
    """Weights [d, h, w, i, o], as TensorFlow has them."""
    dilations = [call.option(f"dilation_{axis}_factor", 1) for axis in ("d", "h", "w")]
    if dilations != [1, 1, 1]:
        raise UnsupportedError("CONV_3D with dilation has no gradient on a CPU")
    strides = [1, *(call.option(f"stride_{axis}") for axis in ("d", "h", "w")), 1]
    y = call.tf.nn.conv3d(call.images(0), call.constant(1), strides, call.option("padding"))
    return call.unmerge(finish(call, y, 2), 0)


def finish(call: Call, y: Value, bias_slot: int) -> Value:
    """The batch norm under training, the bias, the fused activation."""
    if call.normalize is not None:
        y = call.normalize(y)
    if call.has(bias_slot):
        y = call.tf.nn.bias_add(y, call.constant(bias_slot))
    return activate(call, y)


def _convolve(call: Call, x: Value, kernel: Value) -> Value:
    strides = [call.option("stride_h"), call.option("stride_w")]
    return call.tf.nn.conv2d(x, _dilated(call, kernel), strides, call.option("padding"))


def _grouped(call: Call, x: Value, kernel: Value, groups: int) -> Value:
    """A convolution for each group: TensorFlow has no gradient for groups on a CPU."""
    pairs = zip(call.tf.split(x, groups, axis=-1), call.tf.split(kernel, groups, axis=-1), strict=True)
    return call.tf.concat([_convolve(call, part, weights) for part, weights in pairs], axis=-1)


def _dilated(call: Call, kernel: Value) -> Value:
    """The kernel with zeros between its taps: TensorFlow has no gradient for dilation on a CPU."""
    rates = (call.option("dilation_h_factor", 1), call.option("dilation_w_factor", 1))
    for axis, rate in enumerate(rates):
        if rate > 1 and kernel.shape[axis] > 1:
            kernel = _spread(call.tf, kernel, axis, rate)
    return kernel


def _spread(tf: Any, kernel: Value, axis: int, rate: int) -> Value:
    taps = kernel.shape[axis]
    parts = tf.expand_dims(kernel, axis + 1)
    parts = tf.pad(parts, [[0, rate - 1 if i == axis + 1 else 0] for i in range(5)])
    shape = [taps * rate if i == axis else size for i, size in enumerate(kernel.shape)]
    spread = tf.reshape(parts, shape)
    return tf.gather(spread, range((taps - 1) * rate + 1), axis=axis)


def _padded(call: Call, x: Value, kernel: Value, strides: tuple[int, int]) -> Value:
    if call.option("padding") == "VALID":
        return x
    pads = [[0, 0]]
    for axis, stride in enumerate(strides):
        size, taps = x.shape[1 + axis], kernel.shape[axis]
        total = max((-(-size // stride) - 1) * stride + taps - size, 0)
        pads.append([total // 2, total - total // 2])
    return call.tf.pad(x, [*pads, [0, 0]])


IMPLEMENTED = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "TRANSPOSE_CONV": transpose_conv,
    "CONV_3D": conv_3d,
}
