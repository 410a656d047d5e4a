"""What a network costs by counting: multiply-accumulates, bytes of constants, bytes of activations.

A multiply-accumulate (MAC) is one product added to a sum, zeros included, for the shapes in the
file: unknown sizes count as the 1 that stands there. Operators that only compare, move, look up or
scale values (pooling, ADD, SOFTMAX, RESHAPE, QUANTIZE) count 0, as MLPerf Tiny and the vendors'
tools do. The body of a loop counts once, for how often it runs is not in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from edgecompile.ir.network import Network, Operator, Subgraph, Tensor

Inputs = tuple[Tensor | None, ...]
Outputs = tuple[Tensor, ...]
# Operators whose work the file does not tell: compiled for an accelerator, or somebody's own.
_OPAQUE = frozenset({"CUSTOM", "DELEGATE", "STABLEHLO_CUSTOM_CALL"})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One operator. ``macs`` None: the file does not tell (custom operators, kinds not counted here).

    ``weights_bytes``: constants it reads, those shared with others included. ``options_bytes``: custom
    options, which for compiled operators hold code and weights. ``activation_bytes``: its outputs.
    """

    macs: int | None
    weights_bytes: int
    options_bytes: int
    activation_bytes: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """A network. ``weights_bytes`` counts shared storage once; ``activation_bytes`` every value once, not the peak.

    ``macs`` is the sum of what is known, ``uncounted`` the number of operators that it leaves out.
    """

    operators: int
    macs: int
    uncounted: int
    weights_bytes: int
    options_bytes: int
    activation_bytes: int


def cost_of(subgraph: Subgraph, operator: Operator) -> Cost:
    """What one operator of a subgraph costs."""
    constants = {id(tensor.buffer): len(tensor.buffer) for tensor in subgraph.inputs_of(operator) if tensor}
    return Cost(
        macs=macs(subgraph, operator),
        weights_bytes=sum(constants.values()),
        options_bytes=len(operator.custom_options),
        activation_bytes=sum(tensor.size_bytes for tensor in subgraph.outputs_of(operator)),
    )


def totals(network: Network) -> Totals:
    """What all operators of all subgraphs cost."""
    operators = [(subgraph, operator) for subgraph in network.subgraphs for operator in subgraph.operators]
    tensors = [tensor for subgraph in network.subgraphs for tensor in subgraph.tensors]
    counted = [macs(subgraph, operator) for subgraph, operator in operators]
    return Totals(
        operators=len(operators),
        macs=sum(count for count in counted if count is not None),
        uncounted=counted.count(None),
        weights_bytes=sum({id(tensor.buffer): len(tensor.buffer) for tensor in tensors}.values()),
        options_bytes=sum(len(operator.custom_options) for _, operator in operators),
        activation_bytes=sum(tensor.size_bytes for tensor in tensors if not tensor.is_constant),
    )


def macs(subgraph: Subgraph, operator: Operator) -> int | None:
    """Multiply-accumulates of an operator, None where the file does not tell.

    That is so for custom operators, for those of ``_UNCOUNTED`` (LSTM, RNN, CONV_3D_TRANSPOSE, ...),
    and where inputs are not as the operator needs them.
    """
    if operator.name in _OPAQUE | _UNCOUNTED:
        return None
    count = _COUNTS.get(operator.name)
    if count is None:
        return 0
    try:
        return count(operator, subgraph.inputs_of(operator), subgraph.outputs_of(operator))
    except (IndexError, ZeroDivisionError):
        return None


def _shape(tensors: Inputs | Outputs, index: int) -> tuple[int, ...]:
    tensor = tensors[index]
    if tensor is None:
        raise IndexError(index)
    return tuple(abs(size) for size in tensor.shape)


def _conv_2d(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """weights[o, h, w, i]: each output sums h · w · i products (i is a group's share)."""
    return prod(_shape(outputs, 0)) * prod(_shape(inputs, 1)[1:])


def _depthwise_conv_2d(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """weights[1, h, w, o]: each output sums h · w products."""
    shape = _shape(inputs, 1)
    return prod(_shape(outputs, 0)) * shape[1] * shape[2]


def _transpose_conv(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """inputs are output shape, weights[o, h, w, i], x: each x adds to h · w · o outputs, cut borders included."""
    return prod(_shape(inputs, 2)) * prod(_shape(inputs, 1)[:3])


def _conv_3d(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """weights[d, h, w, i, o]: each output sums d · h · w · i products."""
    return prod(_shape(outputs, 0)) * prod(_shape(inputs, 1)[:4])


def _fully_connected(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """weights[o, i]: each output sums i products."""
    return prod(_shape(outputs, 0)) * _shape(inputs, 1)[-1]


def _batch_matmul(operator: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """x[..., m, k] times y[..., k, n]: each output sums k products."""
    return prod(_shape(outputs, 0)) * _shape(inputs, 0)[-2 if operator.options.get("adj_x") else -1]


def _svdf(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """x[b, i], feature weights[f, i], time weights[f, t]: b · f · (i + t), a step (Nakkiran et al. 2015, section 3)."""
    return _shape(inputs, 0)[0] * (prod(_shape(inputs, 1)) + prod(_shape(inputs, 2)))


def _sequence_lstm(_: Operator, inputs: Inputs, outputs: Outputs) -> int:
    """x[t, b, i] or [b, t, i]: every weight of gates (1-8), peepholes (9-11) and projection (16) once a step."""
    matrices = [tensor for tensor in (*inputs[1:12], *inputs[16:17]) if tensor is not None]
    return prod(_shape(inputs, 0)[:2]) * sum(prod(tensor.shape) for tensor in matrices)


_COUNTS: Mapping[str, Callable[[Operator, Inputs, Outputs], int]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "TRANSPOSE_CONV": _transpose_conv,
    "CONV_3D": _conv_3d,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
}
# These multiply, and are not counted: rare in files for small devices.
_UNCOUNTED = frozenset(
    {
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "CONV_3D_TRANSPOSE",
        "LSTM",
        "RNN",
        "STABLEHLO_CONVOLUTION",
        "STABLEHLO_DOT_GENERAL",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
    }
)
