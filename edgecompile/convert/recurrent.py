"""What a recurrent layer makes is its output, its state and its hidden value at once: all in the same numbers."""

from __future__ import annotations

from typing import Any

from edgecompile.convert.flatbuffer import operator_name

_LAYERS = frozenset({"UNIDIRECTIONAL_SEQUENCE_LSTM"})
_PROJECTION, _OUTPUT_STATE, _HIDDEN = 16, 18, 4


def align_states(model: Any) -> None:
    """Give the state and the hidden value of each LSTM without projection the scale and zero point of its output.

    Kernels write one array of integers, by the numbers of the hidden value (the fifth intermediate tensor), and read it
    again a step later by the state's (``lstm_eval.cc`` and ``unidirectional_sequence_lstm.cc`` of TensorFlow 2.20).
    TensorFlow's quantizer gives outputs the numbers of a concatenation behind them, as of a bidirectional layer, and
    leaves the two others as they were measured.
    """
    for subgraph in model.subgraphs:
        for operator in subgraph.operators or []:
            if operator_name(model, operator) in _LAYERS and operator.inputs[_PROJECTION] < 0:
                output = subgraph.tensors[operator.outputs[0]]
                inner = [] if operator.intermediates is None else list(operator.intermediates)[_HIDDEN : _HIDDEN + 1]
                for index in (operator.inputs[_OUTPUT_STATE], *inner):
                    _align(subgraph.tensors[index], output)


def _align(tensor: Any, output: Any) -> None:
    ours, theirs = tensor.quantization, output.quantization
    if tensor.type == output.type and ours is not None and theirs is not None and theirs.scale is not None:
        ours.scale, ours.zeroPoint = theirs.scale, theirs.zeroPoint
