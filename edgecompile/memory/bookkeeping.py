"""What an interpreter keeps in RAM beside the tensors: its own state, and structures for each operator and channel."""

from __future__ import annotations

from edgecompile.core.target import Runtime
from edgecompile.ir.network import Network, Operator, Subgraph

# Where the channels of the result are counted in the weights.
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0, "FULLY_CONNECTED": 0}


def bookkeeping_bytes(network: Network, runtime: Runtime) -> int:
    """Bytes by the profile's account: fixed, per operator, and per output channel with a multiplier of its own."""
    operators = [(subgraph, operator) for subgraph in network.subgraphs for operator in subgraph.operators]
    channels = sum(_channels(subgraph, operator) for subgraph, operator in operators)
    per_operator = runtime.ram_bytes_per_operator * len(operators)
    return runtime.ram_bytes + per_operator + runtime.ram_bytes_per_channel * channels


def _channels(subgraph: Subgraph, operator: Operator) -> int:
    """Channels whose results the kernel rescales one by one: integer convolutions, and dense layers if per channel."""
    axis = _CHANNEL_AXIS.get(operator.name)
    if axis is None or len(operator.inputs) < 2:
        return 0
    weights = subgraph.tensor(operator.inputs[1])
    if weights is None or weights.quantization is None or len(weights.shape) <= axis:
        return 0
    if subgraph.tensors[operator.outputs[0]].dtype == "float32":
        return 0
    dense = operator.name == "FULLY_CONNECTED" and not weights.quantization.per_channel
    return 0 if dense else weights.shape[axis]
