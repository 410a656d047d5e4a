"""Layers with a state, which is zero before each sample: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF.

Inputs as TFLite numbers them (``lstm_eval.cc``, ``svdf.cc``). Integer kernels keep gates in 16 bits, too fine to
matter here: the cell and the output are quantized at every step, gates are not.
"""

from __future__ import annotations

from typing import Any

from edgecompile.compress.simulate.activation import activate
from edgecompile.compress.simulate.call import Call, UnsupportedError, Value
from edgecompile.compress.simulate.quantizers import fake_quantize

_GATES = ("input", "forget", "cell", "output")
_OUTPUT_STATE, _CELL_STATE = 18, 19


def sequence_lstm(call: Call) -> Value:
    """``[batch, time, features]`` or time first; input gate left out: one minus the forget gate."""
    tf, x = call.tf, call.values[0]
    if any(call.has(slot) for slot in range(20, 24)):
        raise UnsupportedError("UNIDIRECTIONAL_SEQUENCE_LSTM with layer norm has no simulation")
    if call.option("time_major"):
        x = tf.transpose(x, [0, 2, 1, 3])
    x = tf.reshape(x, [-1, *x.shape[2:]])
    projected = {gate: _inputs(call, x, i) for i, gate in enumerate(_GATES) if call.has(1 + i)}
    hidden = tf.zeros([tf.shape(x)[0], _units(call, _OUTPUT_STATE)])
    cell = tf.zeros([tf.shape(x)[0], _units(call, _CELL_STATE)])
    steps = []
    for step in range(x.shape[1]):
        cell, hidden = _step(call, {gate: value[:, step] for gate, value in projected.items()}, cell, hidden)
        steps.append(hidden)
    y = tf.reshape(tf.stack(steps, axis=1), [call.samples(0), -1, len(steps), hidden.shape[1]])
    return tf.transpose(y, [0, 2, 1, 3]) if call.option("time_major") else y


def _units(call: Call, slot: int) -> int:
    tensor = call.inputs[slot]
    assert tensor is not None
    return tensor.shape[-1]


def _inputs(call: Call, x: Value, gate: int) -> Value:
    """A gate's part from the inputs, all steps at once: ``[n, time, units]``."""
    tf, weights = call.tf, call.constant(1 + gate)
    rows = tf.matmul(tf.reshape(x, [-1, x.shape[2]]), weights, transpose_b=True)
    rows = rows + call.constant(12 + gate) if call.has(12 + gate) else rows
    return tf.reshape(rows, [-1, x.shape[1], weights.shape[0]])


def _step(call: Call, projected: dict[str, Value], cell: Value, hidden: Value) -> tuple[Value, Value]:
    tf = call.tf
    part = {gate: value + _recurrent(call, hidden, _GATES.index(gate)) for gate, value in projected.items()}
    forget = tf.sigmoid(part["forget"] + _peephole(call, cell, 10))
    keep = tf.sigmoid(part["input"] + _peephole(call, cell, 9)) if "input" in part else 1.0 - forget
    cell = forget * cell + keep * _act(call, part["cell"])
    cell = _clipped(tf, cell, call.option("cell_clip"))
    cell = _quantized(call, cell, _CELL_STATE)
    hidden = tf.sigmoid(part["output"] + _peephole(call, cell, 11)) * _act(call, cell)
    if call.has(16):
        hidden = tf.matmul(hidden, call.constant(16), transpose_b=True)
        hidden = hidden + call.constant(17) if call.has(17) else hidden
        hidden = _clipped(tf, hidden, call.option("proj_clip"))
    return cell, _quantized(call, hidden, _OUTPUT_STATE)


def _recurrent(call: Call, hidden: Value, gate: int) -> Value:
    return call.tf.matmul(hidden, call.constant(5 + gate), transpose_b=True)


def _peephole(call: Call, cell: Value, slot: int) -> Value:
    return cell * call.constant(slot) if call.has(slot) else 0.0


def _act(call: Call, value: Value) -> Value:
    return activate(call, value)


def _clipped(tf: Any, value: Value, limit: float | None) -> Value:
    return tf.clip_by_value(value, -limit, limit) if limit else value


def _quantized(call: Call, value: Value, slot: int) -> Value:
    tensor = call.inputs[slot]
    return value if tensor is None else fake_quantize(call.tf, value, tensor)


def svdf(call: Call) -> Value:
    """From zeros only the newest place of the memory counts: ``sum over rank of (x @ feature) * time[-1]``."""
    tf, x = call.tf, call.values[0]
    feature, time = call.constant(1), call.constant(2)
    y = tf.matmul(tf.reshape(x, [-1, feature.shape[1]]), feature, transpose_b=True) * time[:, -1]
    y = tf.reduce_sum(tf.reshape(y, [-1, feature.shape[0] // call.option("rank"), call.option("rank")]), axis=2)
    y = y + call.constant(3) if call.has(3) else y
    return call.unmerge(activate(call, y), 0)


IMPLEMENTED = {"UNIDIRECTIONAL_SEQUENCE_LSTM": sequence_lstm, "SVDF": svdf}
