"""The constants of the device, as the profile states them under ``[measure]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from edgecompile.core.errors import bad_input

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the device lays out constants. Channels are padded to the next of ``output_channels`` that holds them, beyond
    the last to its multiple; input channels to a multiple of ``input_channels``; each operator's part to
    ``granule_bytes``. ``*_output_bytes`` are the bias and, for weights with a scale per channel, the multiplier."""

    granule_bytes: int
    input_channels: int
    output_channels: tuple[int, ...]
    dense_least_outputs: int
    output_bytes: int
    output_bytes_per_channel: int
    depthwise_channels: int
    depthwise_output_bytes: int
    depthwise_output_bytes_per_channel: int
    softmax_bytes: int
    softmax_few: int
    softmax_bytes_per_element: int
    flatten_columns: int
    recurrent_bytes: int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """``cache_bytes`` for parameters, ``maps_reserve_bytes`` less beside a map of ``maps_least_bytes`` or more; the
    compiler has been seen to leave no more than ``cache_least_bytes``. ``tile_bytes`` for activations in each of
    ``tiles``. A dense layer of more than ``dense_most_inputs`` inputs has its weights streamed."""

    cache_bytes: int
    maps_least_bytes: int
    maps_reserve_bytes: int
    cache_least_bytes: int
    tiles: int
    tile_bytes: int
    dense_most_inputs: int


@dataclass(frozen=True, kw_only=True)
class Compute:
    """The map is cut into ``tile_rows`` by ``tile_columns``; in one cycle a tile multiplies ``inputs`` by ``outputs``
    channels of a position, or ``depthwise`` channels, or computes ``elementwise`` channels of an operator without
    weights. Each operator that is no dense layer starts in ``operator_s``. Weights of a convolution that is done in
    n parts are read ``reads_per_part`` times n."""

    clock_hz: float
    tile_rows: int
    tile_columns: int
    inputs: int
    outputs: int
    depthwise: int
    elementwise: int
    operator_s: float
    reads_per_part: float


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection to the host. ``error`` is the mean relative error of times predicted for it on the hosts that the
    constants are of, ``host`` what these are, ``basis`` how the constants are known; ``error_elsewhere`` is the mean
    relative error for published models, measured on another host. What stays on the host's CPU takes it
    ``host_element_s`` an element and ``host_product_s`` a multiplication, with a mean relative error of the whole of
    ``host_error`` for models that have such a part, None where none was measured on such a host."""

    round_trip_s: float
    input_bytes_per_s: float
    output_bytes_per_s: float
    stream_bytes_per_s: float
    error: float
    error_elsewhere: float
    host_element_s: float
    host_product_s: float
    basis: str
    host: str
    host_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class Device:
    """Everything a prediction needs to know of the device."""

    layout: Layout
    memory: Memory
    compute: Compute
    links: Mapping[str, Link]


def device_of(table: Mapping[str, Any]) -> Device:
    """The device of a profile's ``[measure]`` table. Raises BadInputError EC550 for a constant that is not there."""
    links = table.get("links", {})
    return Device(
        layout=_read(Layout, table, "layout"),
        memory=_read(Memory, table, "memory"),
        compute=_read(Compute, table, "compute"),
        links={name: _read(Link, links, name, "links.") for name in links},
    )


def _read(kind: type[T], table: Mapping[str, Any], name: str, above: str = "") -> T:
    own = table.get(name, {})
    known = fields(kind)  # type: ignore[arg-type]
    absent = [field.name for field in known if field.name not in own and field.default is MISSING]
    if absent:
        raise bad_input(
            "EC550",
            f"the profile's model of the device lacks {', '.join(f'`{key}`' for key in absent)}",
            notes=(f"[measure.{above}{name}] states {', '.join(sorted(own)) or 'nothing'}",),
            help=("extend a profile that states it, or take `model` out of [measure]",),
        )
    names = [field.name for field in known if field.name in own]
    return kind(**{key: tuple(own[key]) if isinstance(own[key], list) else own[key] for key in names})
