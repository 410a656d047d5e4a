"""Activations that other operators carry along."""

from __future__ import annotations

from edgecompile.compress.simulate.call import Call, UnsupportedError, Value


def activate(call: Call, value: Value) -> Value:
    """The value after the operator's ``fused_activation_function``.

    Left out where the output's own range cuts at the same place: its fake quantization then does the clipping.
    """
    name = call.option("fused_activation_function", "NONE")
    if name in call.clips:
        return value
    tf = call.tf
    if name == "NONE":
        return value
    if name == "RELU":
        return tf.nn.relu(value)
    if name == "RELU6":
        return tf.nn.relu6(value)
    if name == "RELU_N1_TO_1":
        return tf.clip_by_value(value, -1.0, 1.0)
    if name == "TANH":
        return tf.tanh(value)
    raise UnsupportedError(f"the fused activation {name} has no simulation")
