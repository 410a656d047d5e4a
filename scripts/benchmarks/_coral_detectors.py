"""Published networks with a part on the CPU: detectors rebuilt with their shapes and no weights, others as given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from _coral_rebuilt import Graph
from _coral_rows import tables
from _shared import data_folder

from edgecompile.config.profiles import load
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.legalize.check import check
from edgecompile.measure.edgetpu.device import Device
from edgecompile.measure.prediction import predict

Maps = list[tuple[int, tuple[int, ...]]]
CLASSES = 91
# DeepLab of the benchmark table is taken for the smaller of the two that Coral publishes; the table does not say.
GIVEN = {
    "DeepLabV3 MNv2 dm0.5, 513": "c5fdea1551_deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "DeepLab V3, 513": "c5fdea1551_deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "MoveNet Lightning, 192": "67a2124a19_movenet_single_pose_lightning_ptq.tflite",
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """A published time of a network of which ``on_cpu`` operators stay on the CPU, and what the profile predicts."""

    name: str
    link: str
    ms: float
    predicted_ms: float
    on_cpu: int


def splits(facts: Mapping[str, Any], device: Device) -> list[Split]:
    """The rows of Coral's tables that are here."""
    networks = {**_rebuilt(), **{name: _given(file) for name, file in GIVEN.items()}}
    target, found = load("coral"), []
    for name, link, ms in tables(facts):
        if name not in networks:
            continue
        network = networks[name]
        placed = check(network, target, name).placements
        running = [one.operator for one in placed if one.where == target.placement.accelerator]
        title = "latency_ms" if link == next(iter(device.links)) else f"latency_{link}_ms"
        measures = predict([(network, running)], target)[0].measures
        mine = next(float(measure.value or 0) for measure in measures if measure.name == title)
        found.append(Split(name=name, link=link, ms=ms, predicted_ms=mine, on_cpu=len(placed) - len(running)))
    return found


def _given(file: str) -> Network:
    return read((data_folder() / "coral" / "models" / file).read_bytes(), file)


def _rebuilt() -> dict[str, Network]:
    first, second = detector(_mobilenet_v1), detector(_mobilenet_v2)
    return {
        "MobileNet v1 SSD, 300": first,
        "SSD MobileNet V1, 300": first,
        "MobileNet v2 SSD, 300": second,
        "SSD MobileNet V2 TF1, 300": second,
    }


def detector(backbone: Callable[[Graph, Maps], None]) -> Network:
    """SSD at 300: boxes and scores from two maps of the backbone and four smaller ones, chosen by a custom operator."""
    graph, maps = Graph(300), []
    backbone(graph, maps)
    for channels in (512, 256, 256, 128):
        graph.conv(channels // 2, 1).conv(channels, 3, 2)
        maps.append((graph.x, graph.shape))
    ends: dict[int, list[int]] = {4: [], CLASSES: []}
    total = 0
    for number, (x, shape) in enumerate(maps):
        anchors = 6 if number else 3
        count = shape[1] * shape[2] * anchors
        total += count
        for width, found in ends.items():
            graph.x, graph.shape = x, shape
            graph.conv(anchors * width, 1)
            found.append(graph._op("RESHAPE", [graph.x], (1, count, width)))
    boxes = graph._op("CONCATENATION", ends[4], (1, total, 4))
    scores = graph._op("CONCATENATION", ends[CLASSES], (1, total, CLASSES))
    scores = graph._op("LOGISTIC", [scores], (1, total, CLASSES))
    shapes = ((1, 20, 4), (1, 20), (1, 20), (1,))
    chosen = [graph.build.tensor(f"chosen{number}", shape, "float32") for number, shape in enumerate(shapes)]
    graph.build.op("CUSTOM", [boxes, scores], chosen, custom_code="TFLite_Detection_PostProcess")
    for tensor in chosen:
        graph.build.output(tensor)
    return graph.build.build()


def _mobilenet_v1(graph: Graph, maps: Maps) -> None:
    graph.conv(32, 3, 2)
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for number, (channels, stride) in enumerate(blocks):
        graph.depthwise(stride).conv(channels, 1)
        if number in (10, 12):
            maps.append((graph.x, graph.shape))


def _mobilenet_v2(graph: Graph, maps: Maps) -> None:
    graph.conv(32, 3, 2)
    for expand, channels, count, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for index in range(count):
            before, depth = graph.x, graph.shape[3]
            if expand > 1:
                graph.conv(depth * expand, 1)
            if channels == 160 and index == 0:
                maps.append((graph.x, graph.shape))
            graph.depthwise(first if index == 0 else 1).conv(channels, 1)
            if index:
                graph._op("ADD", [before, graph.x], graph.shape)
    graph.conv(1280, 1)
    maps.append((graph.x, graph.shape))
