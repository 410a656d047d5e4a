"""Activation functions that are operators of their own, and softmax."""

from __future__ import annotations

from edgecompile.compress.simulate.call import Call, Value
from edgecompile.compress.simulate.ranks import aligned


def relu(call: Call) -> Value:
    """Left out where the output's own range cuts at zero."""
    return call.values[0] if "RELU" in call.clips else call.tf.nn.relu(call.values[0])


def relu6(call: Call) -> Value:
    """Left out where the output's own range cuts at zero and at six or below."""
    return call.values[0] if "RELU6" in call.clips else call.tf.nn.relu6(call.values[0])


def prelu(call: Call) -> Value:
    """``x`` above zero, ``alpha * x`` below."""
    x, alpha = aligned(call, 0, 1)
    return call.tf.nn.relu(x) + alpha * call.tf.minimum(x, 0.0)


def hard_swish(call: Call) -> Value:
    """``x * relu6(x + 3) / 6``."""
    x = call.values[0]
    return x * call.tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


def softmax(call: Call) -> Value:
    """Over the last axis, of ``beta * x``."""
    beta = float(call.option("beta", 1.0))
    return call.tf.nn.softmax(call.values[0] if beta == 1.0 else call.values[0] * beta)


IMPLEMENTED = {
    "RELU": relu,
    "RELU6": relu6,
    "RELU_N1_TO_1": lambda call: call.tf.clip_by_value(call.values[0], -1.0, 1.0),
    "RELU_0_TO_1": lambda call: call.tf.clip_by_value(call.values[0], 0.0, 1.0),
    "LEAKY_RELU": lambda call: call.tf.nn.leaky_relu(call.values[0], call.option("alpha")),
    "PRELU": prelu,
    "ELU": lambda call: call.tf.nn.elu(call.values[0]),
    "GELU": lambda call: call.tf.nn.gelu(call.values[0], approximate=bool(call.option("approximate"))),
    "LOGISTIC": lambda call: call.tf.sigmoid(call.values[0]),
    "TANH": lambda call: call.tf.tanh(call.values[0]),
    "HARD_SWISH": hard_swish,
    "SOFTMAX": softmax,
    "LOG_SOFTMAX": lambda call: call.tf.nn.log_softmax(call.values[0]),
    # TFLite divides by the norm of the last axis, with 1e-6 under it (L2Normalization, reference kernels).
    "L2_NORMALIZATION": lambda call: call.tf.math.l2_normalize(call.values[0], axis=-1, epsilon=1e-12),
}
