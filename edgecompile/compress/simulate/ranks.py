"""Values of different rank brought side by side, as TFLite broadcasts them: the network's axes from the back."""

from __future__ import annotations

from edgecompile.compress.simulate.call import Call, Value


def aligned(call: Call, *slots: int) -> list[Value]:
    """The inputs with ones put behind the samples' axis, so that all have one rank."""
    rank = max(len(call.values[slot].shape) for slot in slots)
    return [widened(call, call.values[slot], rank) for slot in slots]


def widened(call: Call, value: Value, rank: int) -> Value:
    """The value with that many axes in all."""
    missing = rank - len(value.shape)
    if missing == 0:
        return value
    count = value.shape[0] if value.shape[0] is not None else call.tf.shape(value)[0]
    return call.tf.reshape(value, [count, *([1] * missing), *value.shape[1:]])
