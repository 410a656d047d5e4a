"""Constants of a long short-term memory, as the Edge TPU lays them out: what one compiled model holds, part by part.

Read off the parameters of Coral's ``keras_lstm_mnist_ptq``: 28 steps of 28 inputs, 20 units. The program is unrolled
over the steps and its constants are shared by them. The map is turned from (step, channel) to (channel, step) and back
by moving single channels.
"""

from __future__ import annotations

from edgecompile.ir.network import Tensor
from edgecompile.measure.edgetpu.device import Layout
from edgecompile.measure.edgetpu.padding import Parameters, matrix, padded, rounded, up

GATES = 4


def lstm(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], layout: Layout) -> Parameters:
    """Inputs begin with x[batch, step, i] and the input weights w[unit, i]; the output is [batch, step, unit].

    Cached or streamed: each gate's weights. On chip always: the gates' biases, a matrix for each channel that is moved,
    the convolution over the steps that collects the output, and ``recurrent_bytes`` for the moves of single words,
    which are known from the one model only. Streamed always: the output before the first step.
    """
    units, depth = inputs[1].shape
    steps = outputs[0].shape[-2]
    weights = matrix(1, depth, units, layout) + matrix(1, units, units, layout)
    gate = rounded(weights, layout.output_bytes * padded(units, layout), layout)
    moved = depth * matrix(1, 1, depth, layout) + units * matrix(1, 1, units, layout)
    # One channel is collected at a time, at the width of the next larger word.
    collected = steps * layout.output_channels[1] * padded(steps, layout) + layout.output_bytes * padded(steps, layout)
    return Parameters(
        weights_bytes=GATES * gate.weights_bytes,
        fixed_bytes=GATES * gate.fixed_bytes + moved + collected + layout.recurrent_bytes,
        streamed_bytes=up(steps * units, layout.granule_bytes),
    )


def steps_of(outputs: tuple[Tensor, ...]) -> int:
    """How often the gates are computed, one after the other."""
    return outputs[0].shape[-2] if outputs and len(outputs[0].shape) > 1 else 1
