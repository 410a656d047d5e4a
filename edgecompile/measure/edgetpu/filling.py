"""Layers whose output channels leave a part of the array idle: what one more or a few less of them would cost.

The array computes output channels in groups (64 at a time), so that a layer of 65 takes as long as one of 128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgecompile.ir.graph import consumers_of
from edgecompile.ir.network import Subgraph
from edgecompile.measure.edgetpu.device import Compute, Link
from edgecompile.measure.edgetpu.padding import up
from edgecompile.measure.edgetpu.timing import LayerTime

_WEIGHTED = frozenset({"CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"})
# Layers that fill their groups further than that, or take less of the whole time, are not worth a line.
_FILLED = 0.8
_SHARE = 0.01
_MOST = 8


def unfilled(subgraph: Subgraph, layers: Sequence[LayerTime], compute: Compute, link: Link) -> list[dict[str, Any]]:
    """One row for each such layer, the slowest first: its channels, how many cost the same, and what the next smaller
    multiple would save in this layer. Layers that make the model's outputs are left out: theirs are given."""
    whole = sum(layer.duration_s(link) for layer in layers)
    rows = []
    for layer in sorted(layers, key=lambda one: -one.duration_s(link)):
        operator = subgraph.operators[layer.operator]
        if operator.name not in _WEIGHTED or layer.duration_s(link) < _SHARE * whole:
            continue
        channels = subgraph.outputs_of(operator)[0].shape[-1]
        full = up(channels, compute.outputs)
        if channels / full > _FILLED or not _feeds_weights(subgraph, layer.operator):
            continue
        narrower = full - compute.outputs
        saved = _saved(layer, narrower, channels, full, compute, link) if narrower else 0.0
        rows.append({
            "#": layer.operator,
            "layer": subgraph.outputs_of(operator)[0].name,
            "channels": channels,
            "cost like": full,
            "or": narrower or None,
            "saves ms": round(1e3 * saved, 3) if narrower else None,
        })  # fmt: skip
    return rows[:_MOST]


def _saved(layer: LayerTime, narrower: int, channels: int, full: int, compute: Compute, link: Link) -> float:
    """Seconds in this layer: cycles go with the groups, streamed weights with the channels."""
    cycles_s = max(layer.compute_s - compute.operator_s, 0.0)
    less = LayerTime(
        operator=layer.operator,
        compute_s=layer.compute_s - cycles_s * (1 - narrower / full),
        streamed_bytes=layer.streamed_bytes * narrower / channels,
    )
    return layer.duration_s(link) - less.duration_s(link)


def _feeds_weights(subgraph: Subgraph, index: int) -> bool:
    """Whether another layer with weights comes behind it: its channels are free to choose."""
    consumers, waiting, seen = consumers_of(subgraph), [index], {index}
    while waiting:
        operator = subgraph.operators[waiting.pop()]
        for follower in (f for tensor in operator.outputs for f in consumers[tensor] if f not in seen):
            if subgraph.operators[follower].name in _WEIGHTED:
                return True
            seen.add(follower)
            waiting.append(follower)
    return False
