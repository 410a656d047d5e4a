"""Windows over images: AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D. Padding does not count in an average."""

from __future__ import annotations

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.quantizers import is_quantized


def _window(call: Call) -> tuple[list[int], list[int], str]:
    size = [call.option("filter_height"), call.option("filter_width")]
    return size, [call.option("stride_h"), call.option("stride_w")], call.option("padding")


def average_pool_2d(call: Call) -> Value:
    """A window as large as the image is a mean, which has the faster gradient."""
    x = call.images(0)
    size, strides, padding = _window(call)
    if padding == "VALID" and size == list(x.shape[1:3]):
        y = call.tf.reduce_mean(x, axis=[1, 2], keepdims=True)
    else:
        y = call.tf.nn.avg_pool2d(x, size, strides, padding)
    return call.unmerge(activate(call, _away_from_zero(call, y, size[0] * size[1])), 0)


def _away_from_zero(call: Call, y: Value, count: int) -> Value:
    """Halves of integers go away from zero in the kernel (reference/integer_ops/pooling.h), up in fake quantization.

    One average in ``count`` is such a half: those of negative integers are pushed down, by less than any other average
    could notice.
    """
    given = call.outputs[0].quantization
    if given is None or not is_quantized(call.outputs[0]):
        return y
    negative = call.tf.cast(y < -given.scales[0] * given.zero_points[0], y.dtype)
    return y - call.tf.stop_gradient(negative * (given.scales[0] * 0.25 / count))


def max_pool_2d(call: Call) -> Value:
    """The largest of each window."""
    return call.unmerge(activate(call, call.tf.nn.max_pool2d(call.images(0), *_window(call))), 0)


def l2_pool_2d(call: Call) -> Value:
    """The root of the mean square of each window."""
    tf = call.tf
    y = tf.sqrt(tf.nn.avg_pool2d(tf.square(call.images(0)), *_window(call)))
    return call.unmerge(activate(call, y), 0)


IMPLEMENTED = {"AVERAGE_POOL_2D": average_pool_2d, "MAX_POOL_2D": max_pool_2d, "L2_POOL_2D": l2_pool_2d}
