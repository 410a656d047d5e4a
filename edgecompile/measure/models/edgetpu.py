"""The Edge TPU: parameter cache, activation memory and time over each link, for models that share one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.report import Measure
from edgecompile.core.units import counted, format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network, Subgraph
from edgecompile.measure.edgetpu.cache import Cache, room_of, share
from edgecompile.measure.edgetpu.crossing import crossing_of
from edgecompile.measure.edgetpu.device import Device, Link, device_of
from edgecompile.measure.edgetpu.filling import advice, unfilled
from edgecompile.measure.edgetpu.host_part import host_s
from edgecompile.measure.edgetpu.segments import balance
from edgecompile.measure.edgetpu.tiles import tile_of
from edgecompile.measure.edgetpu.timing import LayerTime, Time, invocation, layer_times
from edgecompile.measure.prediction import Prediction

_MEMORY = ("cached_bytes", "streamed_bytes", "cache_free_bytes", "activation_bytes")
_LINKS, _IDLE = "time by link", "channels that leave the array idle"
_OBTAINED = {
    _LINKS: "predicted, in milliseconds an inference; `error` is the mean one on the hosts that the constants are of, "
    "`elsewhere` that of published models on another",
    _IDLE: "counted; the groups of channels that the array computes at once are those of the device model",
}
_LAYOUT = "predicted: the layout that the compiler gives constants, decoded from public compiled models"


def predict(networks: Sequence[tuple[Network, Sequence[int]]], table: Mapping[str, Any]) -> tuple[Prediction, ...]:
    """One prediction for each network; the first has the first choice of the cache.

    Raises BadInputError EC550 where the table lacks a constant.
    """
    device = device_of(table)
    mains = [(network.main, tuple(operators)) for network, operators in networks]
    caches = share(mains, device.layout, device.memory)
    pairs = zip(mains, caches, strict=True)
    return tuple(_predict(main, operators, cache, device) for (main, operators), cache in pairs)


def figures(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the measures that a prediction can have. Raises as :func:`predict`."""
    links = device_of(table).links
    return (*_MEMORY, *(_latency(position, name) for position, name in enumerate(links)))


def segments(network: Network, operators: Sequence[int], count: int, table: Mapping[str, Any]) -> tuple[int, ...]:
    """The operators that begin a new segment when the network is cut for ``count`` devices, balanced by time.

    Raises ValueError where there are fewer operators than segments.
    """
    device = device_of(table)
    return balance(network.main, operators, count, device, next(iter(device.links.values())))


def _predict(main: Subgraph, operators: tuple[int, ...], cache: Cache, device: Device) -> Prediction:
    layers = layer_times(main, cache, device)
    crossing = crossing_of(main, operators)
    times = {name: invocation(layers, crossing, link) for name, link in device.links.items()}
    outside = tuple(index for index in range(len(main.operators)) if index not in set(operators))
    host = {name: host_s(main, outside, link) for name, link in device.links.items()}
    first = next(iter(device.links.values()), None)
    idle = unfilled(main, layers, device.compute, first) if first is not None else []
    whole_s = next((time.total_s + host[name] for name, time in times.items()), 0.0)
    return Prediction(
        measures=(
            *_memory(main, operators, cache, device),
            *_latencies(times, host, device.links, len(outside), crossing.parts),
        ),
        layers=_records(cache, layers, first),
        details=_details(times, host, device, idle) if operators else {},
        obtained={name: how for name, how in _OBTAINED.items() if operators and (name != _IDLE or idle)},
        durations_s={layer.operator: layer.duration_s(first) for layer in layers} if first else {},
        diagnostics=(*_refusals(main, operators, device), *advice(idle, whole_s, device.compute)),
    )


def _memory(main: Subgraph, operators: tuple[int, ...], cache: Cache, device: Device) -> tuple[Measure, ...]:
    # How much of the cache maps take is known as one step only.
    least = f"{_LAYOUT}; from {format_size(device.memory.cache_least_bytes)} on, some models have layers streamed"
    risky = cache.cached_bytes > device.memory.cache_least_bytes
    return (
        Measure(
            name="cached_bytes",
            value=cache.cached_bytes,
            unit="bytes",
            method=least if risky else _LAYOUT,
            limit=room_of(main, operators, device.memory),
        ),
        Measure(name="streamed_bytes", value=cache.streamed_bytes, unit="bytes", method=_LAYOUT),
        Measure(name="cache_free_bytes", value=max(cache.free_bytes, 0), unit="bytes", method=_LAYOUT),
        *_activations(main, operators, device),
    )


def _activations(main: Subgraph, operators: tuple[int, ...], device: Device) -> tuple[Measure, ...]:
    """What the largest operator takes of the tiles' memory; nothing where no operator makes a map."""
    found = (tile_of(main, main.operators[index], device.compute, device.layout) for index in operators)
    tiles, limit, count = [tile for tile in found if tile is not None], device.memory.tile_bytes, device.memory.tiles
    if not tiles:
        return ()
    method = "predicted: the largest operator's input and output, shared out to the tiles"
    whole = max(tile.size_bytes(tile.rows) for tile in tiles)
    if whole > limit:
        method += f"; as a whole {format_size(whole * count)}, which is computed in parts"
    held = max(tile.held_bytes(limit) for tile in tiles)
    return (Measure(name="activation_bytes", value=held * count, unit="bytes", method=method, limit=limit * count),)


def _latencies(
    times: Mapping[str, Time], host: Mapping[str, float], links: Mapping[str, Link], outside: int, parts: int
) -> tuple[Measure, ...]:
    """The first link is the target's latency, the others are named. ``outside`` operators take ``host`` seconds."""
    found = []
    for position, (name, time) in enumerate(times.items()):
        link = links[name]
        error = f"{_host_error(link)} with operators on the CPU" if outside else _errors(link)
        method = f"predicted: over {name} from {link.host}, mean error {error} ({link.basis})"
        if outside:
            method += f"; {1e3 * host[name]:.2f} ms of it for the {counted(outside, 'operator')} left to the CPU"
        if parts > 1:
            method += f"; {parts} parts with a round trip each, as if each were a model: nobody measured such a one"
        value = round(1e3 * (time.total_s + host[name]), 3)
        found.append(Measure(name=_latency(position, name), value=value, unit="ms", method=method))
    return tuple(found)


def _latency(position: int, link: str) -> str:
    return "latency_ms" if position == 0 else f"latency_{link}_ms"


def _errors(link: Link) -> str:
    """Of the hosts that the constants are of, and of one that they are not of, where these differ."""
    own, other = (f"{100 * error:.0f} %" for error in (link.error, link.error_elsewhere))
    return own if own == other else f"{own} on measured hosts, {other} on another"


def _host_error(link: Link) -> str:
    return "unknown" if link.host_error is None else f"{100 * link.host_error:.0f} %"


def _details(
    times: Mapping[str, Time], host: Mapping[str, float], device: Device, idle: list[dict[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = {_LINKS: _by_link(times, host, device.links)}
    return {**found, _IDLE: idle} if idle else found


def _by_link(times: Mapping[str, Time], host: Mapping[str, float], links: Mapping[str, Link]) -> list[dict[str, Any]]:
    apart = any(host.values())
    return [
        {
            "link": name,
            "ms": round(1e3 * (time.total_s + host[name]), 2),
            "compute": round(1e3 * time.compute_s, 2),
            "streaming": round(1e3 * time.streaming_s, 2),
            "transfers": round(1e3 * time.transfers_s, 2),
            "round trip": round(1e3 * time.round_trip_s, 2),
            **(_with_host(host[name], links[name]) if apart else _without_host(links[name])),
        }
        for name, time in times.items()
    ]


def _with_host(host_s: float, link: Link) -> dict[str, Any]:
    return {"CPU": round(1e3 * host_s, 2), "error": _host_error(link)}


def _without_host(link: Link) -> dict[str, Any]:
    return {"error": f"{100 * link.error:.0f} %", "elsewhere": f"{100 * link.error_elsewhere:.0f} %"}


def _records(cache: Cache, layers: tuple[LayerTime, ...], link: Link | None) -> dict[int, dict[str, Any]]:
    return {
        layer.operator: {
            "cached": layer.cached_bytes,
            "streamed": layer.streamed_bytes,
            "ms": round(1e3 * time.duration_s(link), 3) if link else None,
        }
        for layer, time in zip(cache.layers, layers, strict=True)
    }


def _refusals(main: Subgraph, operators: tuple[int, ...], device: Device) -> tuple[Diagnostic, ...]:
    """EC552 for the first operator of which not even one row fits the tiles' activation memory."""
    for index in operators:
        operator = main.operators[index]
        tile = tile_of(main, operator, device.compute, device.layout)
        if tile is None or tile.parts(device.memory.tile_bytes) is not None:
            continue
        return (
            Diagnostic(
                code="EC552",
                severity=Severity.WARNING,
                message=f"the activations of `{operator.label}` are too large for the accelerator's memory",
                location=Location(operator=index, layer=short_name(main.outputs_of(operator)[0].name) or None),
                notes=(
                    f"limit: {format_size(device.memory.tile_bytes)} of activations in each tile",
                    f"found: {format_size(tile.size_bytes(1))} for a single row of the output",
                    'the compiler then says "Compilation failed due to large activation tensors in model"',
                ),
                help=("give the model a smaller input, or fewer channels where its maps are wide",),
            ),
        )
    return ()
