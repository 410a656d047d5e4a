"""Products of matrices: FULLY_CONNECTED and BATCH_MATMUL."""

from __future__ import annotations

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.ranks import aligned


def fully_connected(call: Call) -> Value:
    """Weights [o, i]; the value's elements are taken in rows of i."""
    tf, x = call.tf, call.values[0]
    count = call.samples(0, 1)
    if call.is_constant(1):
        weights = call.constant(1)
        y = tf.matmul(tf.reshape(x, [-1, weights.shape[1]]), weights, transpose_b=True)
    else:
        weights = call.values[1]
        y = tf.matmul(tf.reshape(x, [call.samples(0), -1, weights.shape[2]]), weights, transpose_b=True)
        y = tf.reshape(y, [-1, weights.shape[1]])
    if call.normalize is not None:
        y = tf.reshape(call.normalize(tf.reshape(y, [-1, 1, 1, y.shape[1]])), [-1, y.shape[1]])
    if call.has(2):
        y = tf.nn.bias_add(y, call.constant(2)) if call.is_constant(2) else y + call.values[2]
    return tf.reshape(activate(call, y), [count, *_shape(call, weights.shape[-2], weights.shape[-1])])


def _shape(call: Call, channels: int, inner: int) -> list[int]:
    if call.option("keep_num_dims"):
        return [*call.values[0].shape[1:-1], channels]
    if len(call.outputs[0].shape) != 2:
        return list(call.outputs[0].shape)
    # Two unknown sizes would leave the batch unknown, too, where the number of samples is.
    elements = call.values[0].shape[1:].num_elements()
    return [-1 if elements is None else elements // inner, channels]


def batch_matmul(call: Call) -> Value:
    """``x @ y`` over the last two axes, either turned around first."""
    a, b = aligned(call, 0, 1)
    return call.tf.matmul(a, b, transpose_a=bool(call.option("adj_x")), transpose_b=bool(call.option("adj_y")))


IMPLEMENTED = {"FULLY_CONNECTED": fully_connected, "BATCH_MATMUL": batch_matmul}
