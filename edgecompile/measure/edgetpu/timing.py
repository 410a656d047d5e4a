"""How long one invocation takes: compute, streaming of what is not cached, and transfers.

Streaming runs beside the computation, layer by layer, so that a layer takes the longer of the two. A layer whose
activations do not fit is computed in parts, and its weights are streamed again for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from edgecompile.ir.network import Operator, Subgraph
from edgecompile.measure.edgetpu.cache import Cache
from edgecompile.measure.edgetpu.crossing import Crossing
from edgecompile.measure.edgetpu.device import Compute, Device, Link
from edgecompile.measure.edgetpu.recurrent import GATES, steps_of
from edgecompile.measure.edgetpu.tiles import tile_of, window_of

_DENSE = "FULLY_CONNECTED"
_RECURRENT = "UNIDIRECTIONAL_SEQUENCE_LSTM"


@dataclass(frozen=True, kw_only=True)
class LayerTime:
    """One operator: ``compute_s`` on the device, ``streamed_bytes`` sent for it, repetitions counted."""

    operator: int
    compute_s: float
    streamed_bytes: float

    def duration_s(self, link: Link) -> float:
        """The longer of the two, which run side by side."""
        return max(self.compute_s, self.streamed_bytes / link.stream_bytes_per_s)


@dataclass(frozen=True, kw_only=True)
class Time:
    """One invocation over one link, in seconds; the four parts add up."""

    round_trip_s: float
    compute_s: float
    streaming_s: float
    transfers_s: float

    @property
    def total_s(self) -> float:
        """What the caller waits for."""
        return self.round_trip_s + self.compute_s + self.streaming_s + self.transfers_s


def layer_times(subgraph: Subgraph, cache: Cache, device: Device) -> tuple[LayerTime, ...]:
    """Every layer of the accelerator, in order."""
    return tuple(
        LayerTime(
            operator=layer.operator,
            compute_s=compute_of(subgraph, subgraph.operators[layer.operator], device.compute),
            streamed_bytes=layer.streamed_bytes * _reads(subgraph, subgraph.operators[layer.operator], device),
        )
        for layer in cache.layers
    )


def invocation(layers: tuple[LayerTime, ...], crossing: Crossing, link: Link) -> Time:
    """The whole over one link, a round trip a part; ``streaming_s`` is what streaming adds to the computation."""
    compute = sum(layer.compute_s for layer in layers)
    return Time(
        round_trip_s=link.round_trip_s * crossing.parts,
        compute_s=compute,
        streaming_s=sum(layer.duration_s(link) for layer in layers) - compute,
        transfers_s=crossing.input_bytes / link.input_bytes_per_s + crossing.output_bytes / link.output_bytes_per_s,
    )


def compute_of(subgraph: Subgraph, operator: Operator, compute: Compute) -> float:
    """Seconds on the array, start included."""
    if operator.name == _RECURRENT:
        # A step waits for the one before: the gates start anew in each.
        steps = steps_of(subgraph.outputs_of(operator))
        return steps * (compute.operator_s + cycles_of(subgraph, operator, compute) / compute.clock_hz)
    start = 0.0 if operator.name == _DENSE else compute.operator_s
    return start + cycles_of(subgraph, operator, compute) / compute.clock_hz


def cycles_of(subgraph: Subgraph, operator: Operator, compute: Compute) -> int:
    """Cycles of the array, of one step where there are several; 0 where the shapes do not tell."""
    outputs, inputs = subgraph.outputs_of(operator), subgraph.inputs_of(operator)
    if not outputs or not outputs[0].shape:
        return 0
    weights = inputs[1] if len(inputs) > 1 else None
    window = prod(window_of(subgraph, operator))
    if weights is not None and operator.name == "CONV_2D" and len(weights.shape) == 4:
        return _positions(outputs[0].shape, compute) * window * _products(weights.shape[3], weights.shape[0], compute)
    if weights is not None and operator.name == "TRANSPOSE_CONV" and len(inputs) > 2 and inputs[2] is not None:
        return _positions(inputs[2].shape, compute) * window * _products(weights.shape[3], weights.shape[0], compute)
    if weights is not None and operator.name == _DENSE and len(weights.shape) == 2:
        return _products(weights.shape[1], weights.shape[0], compute)
    if weights is not None and operator.name == _RECURRENT and len(weights.shape) == 2:
        units, depth = weights.shape
        return GATES * _products(depth + units, units, compute)
    channels = compute.depthwise if operator.name == "DEPTHWISE_CONV_2D" else compute.elementwise
    return _positions(outputs[0].shape, compute) * window * -(-outputs[0].shape[-1] // channels)


def _positions(shape: tuple[int, ...], compute: Compute) -> int:
    """Positions of a map that one tile computes."""
    if len(shape) != 4:
        return 1
    return -(-shape[1] // compute.tile_rows) * -(-shape[2] // compute.tile_columns)


def _products(inputs: int, outputs: int, compute: Compute) -> int:
    return -(-inputs // compute.inputs) * -(-outputs // compute.outputs)


def _reads(subgraph: Subgraph, operator: Operator, device: Device) -> float:
    """How often the streamed weights are sent."""
    tile = tile_of(subgraph, operator, device.compute, device.layout)
    parts = tile.parts(device.memory.tile_bytes) if tile is not None else 1
    return device.compute.reads_per_part * parts if parts and parts > 1 else 1.0
