"""Measurements of Edge TPUs whose networks are rebuilt, and published models (used by `bench coral_latency`)."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from _coral_rebuilt import rebuilt

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.measure.edgetpu.cache import Layer, allocate
from edgecompile.measure.edgetpu.device import Device
from edgecompile.measure.edgetpu.padding import up
from edgecompile.measure.edgetpu.timing import LayerTime, layer_times

MIB = 2**20
CHANNEL = 0.01  # any scale: only that there is one for each output channel counts
# The Jetson is a single-board computer: its link of the profile.
BOARD = {"usb3": "usb3_board", "usb2": "usb2"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: the network, the data set and host it belongs to, the profile's link that is meant for it, bytes
    that cross, and milliseconds."""

    group: str
    host: str
    link: str
    layers: tuple[LayerTime, ...]
    input_bytes: int
    output_bytes: int
    ms: float
    name: str = ""

    @cached_property
    def compute_s(self) -> np.ndarray[Any, Any]:
        """Of every layer."""
        return np.array([layer.compute_s for layer in self.layers])

    @cached_property
    def streamed_bytes(self) -> np.ndarray[Any, Any]:
        """Of every layer."""
        return np.array([layer.streamed_bytes for layer in self.layers])


def measured(facts: Mapping[str, Any], device: Device) -> list[Row]:
    """The rows of three data sets of networks made for measuring."""
    return [*_sweeps(facts, device), *_jetson(facts, device), *_single(facts, device)]


def published(facts: Mapping[str, Any], device: Device) -> list[Row]:
    """The rows of Coral's own tables whose networks can be rebuilt."""
    networks = {name.lower(): network for name, network in {**rebuilt(), **_applications()}.items()}
    rows = []
    for name, link, ms in tables(facts):
        network = networks.get(name.lower())
        if network is None:
            continue
        main = network.main
        sizes = [sum(main.tensors[i].size_bytes for i in ends) for ends in (main.inputs, main.outputs)]
        rows.append(Row(group=f"published models, {link}", host=f"p {link}", link=link, layers=times(network, device),
                        input_bytes=sizes[0], output_bytes=sizes[1], ms=ms, name=name))  # fmt: skip
    return rows


def tables(facts: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Model and input size, link, milliseconds: all rows of the benchmark table and of the model pages."""
    found = []
    for row in facts["benchmarks"]["rows"]:
        name = f"{row['model']}, {row['input']}"
        found += [(name, "usb3", row["usb3_ms"]), (name, "pcie", row["devboard_ms"])]
    return found + [(f"{row['model']}, {row['input']}", "usb3", row["ms"]) for row in facts["model_pages"]["rows"]]


def _applications() -> dict[str, Network]:
    """Those that keras.applications has; TensorFlow stays in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        maker = Path(__file__).with_name("_coral_applications.py")
        done = subprocess.run(
            [sys.executable, str(maker), scratch], env={**os.environ, **QUIET}, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        return {path.stem: read(path.read_bytes()) for path in sorted(Path(scratch).glob("*.tflite"))}


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


def times(
    network: Network,
    device: Device,
    room: float | None = None,
    off: float | None = None,
    operators: Sequence[int] | None = None,
) -> tuple[LayerTime, ...]:
    """``operators``: those on the accelerator, None: all; ``room``: MiB for the cache as the log has it; ``off``: MiB
    streamed as the log has it, spread evenly."""
    operators = range(len(network.main.operators)) if operators is None else operators
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
        layers = times(convolutions(64, [3, *[n] * row["layers"]], 3), device)
        rows.append(Row(group="convolutions, usb3", host="a", link="usb3", layers=layers,
                        input_bytes=64 * 64 * 3, output_bytes=64 * 64 * up(n, 4), ms=row["ms"]))  # fmt: skip
    for row in facts["fc_sweep"]["rows"]:
        n = row["N"]
        layers = times(dense([64, n, n, n, n, 10]), device)
        rows.append(Row(group="dense, usb3", host="b", link="usb3", layers=layers,
                        input_bytes=64, output_bytes=16, ms=row["ms"]))  # fmt: skip
    return rows


def _jetson(facts: dict[str, Any], device: Device) -> list[Row]:
    """7 x 7 convolutions, hundreds of dense layers, and transfers alone; from a single-board computer, both links."""
    rows = []
    for link in ("usb3", "usb2"):
        for row in facts["iwatake_conv"]["rows"]:
            network = convolutions(128, [3, *[32] * row["layers"]], 7)
            layers = times(network, device, room=row["avail_mib"])
            rows.append(Row(group=f"7 x 7 convolutions, {link}", host=f"c {link}", link=BOARD[link], layers=layers,
                            input_bytes=128 * 128 * 3, output_bytes=16, ms=row[f"ms_{link}"]))  # fmt: skip
        for row in facts["iwatake_dense"]["rows"]:
            layers = times(dense([row["units"]] * (row["layers"] + 1)), device, off=row["off_mib"])
            rows.append(Row(group=f"hundreds of dense layers, {link}", host=f"c {link}", link=BOARD[link],
                            layers=layers, ms=row[f"ms_{link}"],
                            input_bytes=row["units"], output_bytes=row["units"]))  # fmt: skip
        for name, column in (("input", 0), ("output", 1)):
            for size, usb3, usb2 in facts[f"iwatake_{name}_bytes"]["rows"]:
                sizes = (size, 12) if column == 0 else (12, size)
                ms = usb3 if link == "usb3" else usb2
                rows.append(Row(group=f"{name} only, {link}", host=f"c {link}", link=BOARD[link], layers=_NOTHING,
                                input_bytes=sizes[0], output_bytes=sizes[1], ms=ms))  # fmt: skip
    return rows


_NOTHING = (LayerTime(operator=0, compute_s=0.0, streamed_bytes=0.0),)


def _single(facts: dict[str, Any], device: Device) -> list[Row]:
    """One cached dense layer, over USB 2."""
    rows = []
    for row in facts["libredgetpu"]["rows"]:
        if row["model"].startswith("Dense"):
            n = int(row["model"].split()[1])
            rows.append(Row(group="one dense layer, usb2", host="d", link="usb2", layers=times(dense([n, n]), device),
                            input_bytes=n, output_bytes=n, ms=row["cached_ms"]))  # fmt: skip
    return rows
