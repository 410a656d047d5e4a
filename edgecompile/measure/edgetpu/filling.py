"""Layers whose output channels leave a part of the array idle: what one more or a few less of them would cost.

The array computes output channels in groups (64 at a time), so that a layer of 65 takes as long as one of 128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.ir.graph import consumers_of
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Subgraph
from edgecompile.measure.edgetpu.device import Compute, Link
from edgecompile.measure.edgetpu.padding import up
from edgecompile.measure.edgetpu.timing import LayerTime

_WEIGHTED = frozenset({"CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"})
# Layers that fill their groups further than that, or take less of the whole time, are not worth a line.
_FILLED = 0.8
_SHARE = 0.01
_MOST, _SHOWN = 8, 3
# A gain of less of the whole time is not worth training a model anew.
_WORTH = 0.05


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


def advice(rows: Sequence[Mapping[str, Any]], total_s: float, compute: Compute) -> tuple[Diagnostic, ...]:
    """EC559, a note, where the layers of :func:`unfilled` together would save a share of the time worth having."""
    saved_ms = sum(row["saves ms"] or 0.0 for row in rows)
    if not total_s or saved_ms < 1e3 * _WORTH * total_s:
        return ()
    worth = sorted((row for row in rows if row["saves ms"]), key=lambda row: -row["saves ms"])
    shown = [
        f"`{short_name(row['layer'])}`: {row['channels']} channels take as long as {row['cost like']}; "
        f"{row['or']} would save {row['saves ms']:.3f} ms"
        for row in worth[:_SHOWN]
    ]
    note = Diagnostic(
        code="EC559",
        severity=Severity.NOTE,
        message=f"{_counted(len(worth))} beyond a full group of {compute.outputs} output channels",
        notes=(f"predicted: {saved_ms:.3f} of {1e3 * total_s:.3f} ms less without these channels", *shown),
        help=(
            f"give them multiples of {compute.outputs}: more channels up to the next cost no time",
            "or build with `--recipe filled`, which takes a few channels out and trains (step `fill_channels`)",
        ),
    )
    return (note,)


def _counted(layers: int) -> str:
    return f"{layers} layers lie" if layers > 1 else "a layer lies"


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
