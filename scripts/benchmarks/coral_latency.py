"""Leave-one-out errors of the Edge TPU's time model over measured networks (run by `bench coral --latency`)."""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from _shared import table

from edgecompile.config.profiles import load
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.measure.edgetpu.cache import Layer, allocate
from edgecompile.measure.edgetpu.device import Device, Link, device_of
from edgecompile.measure.edgetpu.padding import up
from edgecompile.measure.edgetpu.timing import LayerTime, invocation, layer_times

LIMIT = 0.10
MIB = 2**20
CHANNEL = 0.01  # any scale: only that there is one for each output channel counts
# Tried from the profile's constants by Gauss-Newton on the logarithm of the time; outliers count less.
STEPS, DAMPING, OUTLIER = 8, 1e-2, 0.14


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: the network, the data set and link it belongs to, bytes that cross, and milliseconds."""

    group: str
    host: str
    link: str
    layers: tuple[LayerTime, ...]
    input_bytes: int
    output_bytes: int
    ms: float


def main(facts: dict[str, Any]) -> int:
    """Print errors by data set; exit 1 where their mean is above the limit."""
    device = device_of(load("coral").measure)
    rows = [*_sweeps(facts, device), *_jetson(facts, device), *_single(facts, device)]
    errors: dict[str, list[float]] = defaultdict(list)
    start = _start(rows, device)
    whole = _fit(rows, start, device)
    for index, row in enumerate(rows):
        fitted = _fit(rows[:index] + rows[index + 1 :], whole, device, steps=3)
        errors[row.group].append(abs(_predict(row, fitted, device) / row.ms - 1))
    every = [error for group in errors.values() for error in group]
    fixed = {row.group: [] for row in rows}  # type: dict[str, list[float]]
    for row in rows:
        fixed[row.group].append(abs(_predict(row, start, device) / row.ms - 1))
    lines: list[tuple[str, ...]] = [("rows", "number", "left out", "with the profile's constants")]
    for name, found in errors.items():
        lines.append((name, str(len(found)), f"{100 * np.mean(found):.1f} %", f"{100 * np.mean(fixed[name]):.1f} %"))
    lines.append(
        (
            "all",
            str(len(every)),
            f"{100 * np.mean(every):.1f} %",
            f"{100 * np.mean([e for f in fixed.values() for e in f]):.1f} %",
        )
    )
    print(table(lines))
    print("\n" + table([("constant", "fitted"), *((name, f"{value:.4g}") for name, value in whole.items())]))
    print("\npublished models, with the profile's constants, in no fit but for the time an operator takes to start:")
    print(table(_published(device)))
    return 1 if np.mean(every) > LIMIT else 0


def convolutions(size: int, channels: list[int], kernel: int) -> Network:
    """Same-padded convolutions of a square map, int8 with a scale per channel."""
    build = NetworkBuilder()
    x = build.input("x", (1, size, size, channels[0]), "int8", scale=0.1)
    for number, (before, after) in enumerate(itertools.pairwise(channels)):
        weights = np.zeros((after, kernel, kernel, before), np.int8)
        w = build.constant(f"w{number}", weights, scale=(CHANNEL,) * after)
        y = build.tensor(f"y{number}", (1, size, size, after), "int8", scale=0.1)
        build.op("CONV_2D", [x, w], [y], padding="SAME")
        x = y
    return build.output(x).build()


def dense(units: list[int]) -> Network:
    """Dense layers, int8 with one scale."""
    build = NetworkBuilder()
    x = build.input("x", (1, units[0]), "int8", scale=0.1)
    for number, (before, after) in enumerate(itertools.pairwise(units)):
        w = build.constant(f"w{number}", np.zeros((after, before), np.int8), scale=CHANNEL)
        y = build.tensor(f"y{number}", (1, after), "int8", scale=0.1)
        build.op("FULLY_CONNECTED", [x, w], [y])
        x = y
    return build.output(x).build()


def _times(
    network: Network, device: Device, room: float | None = None, off: float | None = None
) -> tuple[LayerTime, ...]:
    """``room``: MiB for the cache as the log has it; ``off``: MiB streamed as the log has it, spread evenly."""
    operators = range(len(network.main.operators))
    free = None if room is None else int(room * MIB)
    cache = allocate(network.main, operators, device.layout, device.memory, free)
    if off is not None:
        each = int(off * MIB / len(operators))
        cache = replace(cache, layers=tuple(Layer(operator=i, cached_bytes=0, streamed_bytes=each) for i in operators))
    return layer_times(network.main, cache, device)


def _sweeps(facts: dict[str, Any], device: Device) -> list[Row]:
    """Five convolutions of N channels on 64 x 64, four and a last dense layers of N units; from a desktop computer."""
    rows = []
    for row in facts["conv_sweep"]["rows"]:
        n = row["N"]
        layers = _times(convolutions(64, [3, *[n] * row["layers"]], 3), device)
        rows.append(Row(group="convolutions, usb3", host="a", link="usb3", layers=layers,
                        input_bytes=64 * 64 * 3, output_bytes=64 * 64 * up(n, 4), ms=row["ms"]))  # fmt: skip
    for row in facts["fc_sweep"]["rows"]:
        n = row["N"]
        layers = _times(dense([64, n, n, n, n, 10]), device)
        rows.append(Row(group="dense, usb3", host="b", link="usb3", layers=layers,
                        input_bytes=64, output_bytes=16, ms=row["ms"]))  # fmt: skip
    return rows


def _jetson(facts: dict[str, Any], device: Device) -> list[Row]:
    """7 x 7 convolutions, hundreds of dense layers, and transfers alone; from a single-board computer, both links."""
    rows = []
    for link in ("usb3", "usb2"):
        for row in facts["iwatake_conv"]["rows"]:
            network = convolutions(128, [3, *[32] * row["layers"]], 7)
            layers = _times(network, device, room=row["avail_mib"])
            rows.append(Row(group=f"7 x 7 convolutions, {link}", host=f"c {link}", link=link, layers=layers,
                            input_bytes=128 * 128 * 3, output_bytes=16, ms=row[f"ms_{link}"]))  # fmt: skip
        for row in facts["iwatake_dense"]["rows"]:
            layers = _times(dense([row["units"]] * (row["layers"] + 1)), device, off=row["off_mib"])
            rows.append(Row(group=f"hundreds of dense layers, {link}", host=f"c {link}", link=link, layers=layers,
                            input_bytes=row["units"], output_bytes=row["units"], ms=row[f"ms_{link}"]))  # fmt: skip
        for name, column in (("input", 0), ("output", 1)):
            for size, usb3, usb2 in facts[f"iwatake_{name}_bytes"]["rows"]:
                sizes = (size, 12) if column == 0 else (12, size)
                ms = usb3 if link == "usb3" else usb2
                rows.append(Row(group=f"{name} only, {link}", host=f"c {link}", link=link, layers=_NOTHING,
                                input_bytes=sizes[0], output_bytes=sizes[1], ms=ms))  # fmt: skip
    return rows


_NOTHING = (LayerTime(operator=0, compute_s=0.0, streamed_bytes=0.0),)


def _single(facts: dict[str, Any], device: Device) -> list[Row]:
    """One cached dense layer, over USB 2."""
    rows = []
    for row in facts["libredgetpu"]["rows"]:
        if row["model"].startswith("Dense"):
            n = int(row["model"].split()[1])
            rows.append(Row(group="one dense layer, usb2", host="d", link="usb2", layers=_times(dense([n, n]), device),
                            input_bytes=n, output_bytes=n, ms=row["cached_ms"]))  # fmt: skip
    return rows


def _start(rows: list[Row], device: Device) -> dict[str, float]:
    """The profile's constants: the array's speed, streaming by link, the rest by host."""
    found = {"clock_hz": device.compute.clock_hz}
    for link, of in device.links.items():
        if any(row.link == link for row in rows):
            found[f"stream {link}"] = of.stream_bytes_per_s
    for host, link in sorted({(row.host, row.link) for row in rows}):
        of = device.links[link]
        found |= {f"round trip {host}": of.round_trip_s, f"input {host}": of.input_bytes_per_s}
        found[f"output {host}"] = of.output_bytes_per_s
    return found


def _predict(row: Row, constants: dict[str, float], device: Device) -> float:
    """Milliseconds."""
    slower = device.compute.clock_hz / constants["clock_hz"]
    link: Link = replace(
        device.links[row.link],
        stream_bytes_per_s=constants[f"stream {row.link}"],
        round_trip_s=constants[f"round trip {row.host}"],
        input_bytes_per_s=constants[f"input {row.host}"],
        output_bytes_per_s=constants[f"output {row.host}"],
    )
    layers = tuple(replace(layer, compute_s=layer.compute_s * slower) for layer in row.layers)
    return 1e3 * invocation(layers, row.input_bytes, row.output_bytes, link).total_s


def _fit(rows: list[Row], start: dict[str, float], device: Device, steps: int = STEPS) -> dict[str, float]:
    names = list(start)
    x = np.log(np.array(list(start.values())))
    truth = np.log([row.ms for row in rows])

    def predicted(at: np.ndarray[Any, Any], some: list[Row]) -> np.ndarray[Any, Any]:
        constants = dict(zip(names, np.exp(at), strict=True))
        return np.log([_predict(row, constants, device) for row in some])

    for _ in range(steps):
        now = predicted(x, rows)
        slopes = np.zeros((len(rows), len(names)))
        for column, name in enumerate(names):
            step = x.copy()
            step[column] += 1e-3
            touched = [i for i, row in enumerate(rows) if name == "clock_hz" or name.endswith((row.host, row.link))]
            changed = predicted(step, [rows[i] for i in touched])
            slopes[touched, column] = (changed - now[touched]) / 1e-3
        weights = 1 / np.sqrt(OUTLIER**2 + (now - truth) ** 2)
        left = (slopes.T * weights) @ slopes + DAMPING * np.eye(len(names))
        x = x + np.clip(np.linalg.solve(left, (slopes.T * weights) @ (truth - now)), -0.5, 0.5)
    return dict(zip(names, (float(value) for value in np.exp(x)), strict=True))


def _published(device: Device) -> list[tuple[str, ...]]:
    from coral_networks import PUBLISHED

    rows: list[tuple[str, ...]] = [("model", "link", "published ms", "predicted ms", "error")]
    for name, network, times in PUBLISHED():
        layers = _times(network, device)
        shape = network.main.tensors[network.main.inputs[0]].size_bytes
        out = sum(network.main.tensors[i].size_bytes for i in network.main.outputs)
        for link, ms in times.items():
            found = 1e3 * invocation(layers, shape, out, device.links[link]).total_s
            rows.append((name, link, f"{ms:g}", f"{found:.2f}", f"{100 * (found / ms - 1):+.0f} %"))
    return rows


if __name__ == "__main__":
    sys.exit("run `scripts/bench coral --latency`")
