"""What `inspect` prints, whole; and that it holds whatever a file's names and numbers are."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ir_networks import changed, conv_network

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.reader import read, read_file
from edgecompile.ir.spelling import printable, shorten
from edgecompile.ir.text import describe, text
from edgecompile.ir.writer import write

CONV = """\
TFLite model, schema 3, 1 500 B, made for tests

Inputs
    0  x  int8[1,8,8,3]  scale 0.5, zero point 3

Outputs
    6  y  int8[1,256]  scale 0.003906, zero point -128

Signatures
  serving_default: x -> y

Operators    3
MACs         6 912
Weights      132 B
Activations  960 B in all, not at once

# operator   output        scale zero /n  MACs weights
0 CONV_2D v3 int8[1,8,8,4] 0.25 -3 /4    6 912   124 B
1 RESHAPE    int8[1,256]   0.25 -3                 8 B
2 SOFTMAX v2 int8[1,256]   0.003906 -128
scale and zero point are the output's; /n: n scales of weights, by channel"""

COMPILED = """\
TFLite model, schema 3

Inputs
    0  x  uint8[1,?,4]  scale 0.5, zero point 0

Outputs
    1  y  uint8[1,4]
    2  z  uint8[2]

Metadata
  min_runtime_version  1.14.0
  OfflineMemoryAllocation  4 B
  file labels.txt, 8 B

Operators       1
MACs            0, without 1 operator that cannot be counted
Weights         0 B
Activations     10 B in all, not at once
Custom options  19.5 KiB, what compiled operators bring along

# operator          output     scale zero /n MACs  weights
0 edgetpu-custom-op uint8[1,4]                  ? 19.5 KiB
                    uint8[2]"""


def compiled() -> Network:
    """One operator as the Edge TPU compiler leaves it, with metadata and an associated file."""
    build = NetworkBuilder()
    x = build.input("x", (1, -1, 4), "uint8", 0.5)
    y, z = build.tensor("y", (1, 4), "uint8"), build.tensor("z", (2,), "uint8")
    build.op("CUSTOM", [x], [y, z], custom_code="edgetpu-custom-op", custom_options=bytes(20_000))
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    metadata = {
        "min_runtime_version": Buffer(b"1.14.0".ljust(16, b"\0")),
        "OfflineMemoryAllocation": Buffer(b"\1\0\0\0"),
    }
    return replace(build.output(y, z).build(), metadata=metadata, trailer=memory.getvalue())


@pytest.mark.parametrize(
    "network, size_bytes, shown",
    [
        pytest.param(conv_network(), 1500, CONV, id="quantized"),
        pytest.param(read(write(compiled())), None, COMPILED, id="compiled"),
    ],
)
def test_a_network_is_shown_whole(network: Network, size_bytes: int | None, shown: str) -> None:
    assert text(network, size_bytes) == shown


def test_names_too_long_for_their_column_stand_alone_and_nothing_else_is_lost() -> None:
    build = NetworkBuilder()
    x = build.input("a/very/long/name/" * 9 + "end", (1, 1000, 1000, 1000), "int8", 0.5)
    y = build.tensor("y", (1, 1000, 1000, 1000), "int8", 0.00123456, -128)
    build.op("CUSTOM", [x], [y], custom_code="an-operator-with-quite-a-long-name-of-its-own")
    shown = text(build.output(y).build())

    assert max(map(len, shown.splitlines())) <= 80
    assert "/name/end  int8[1,1000,1000,1000]" in shown
    assert "an-operator-with-quite-a-long-name-of-its-own" in shown
    assert "int8[1,1000,1000,1000] 0.001235 -128" in shown


def test_each_subgraph_has_its_table() -> None:
    network = conv_network()

    shown = text(replace(network, subgraphs=(network.main, replace(network.main, name="body", operators=()))))

    assert "Subgraph 0  main\n# operator" in shown
    assert "Subgraph 1  body\nno operators" in shown


def hostile(model: Any) -> None:
    main = model.subgraphs[0]
    main.tensors[0].name, main.tensors[6].name = b"\x1b[31m\r\n", b"\xff\xfe"
    main.tensors[0].quantization.scale = np.float32([3e38])
    main.operators[2].builtinOptions.beta = float("inf")
    model.description = b"\x07"


def test_control_characters_are_escaped_and_numbers_are_json() -> None:
    network = read(changed(write(conv_network()), hostile))

    shown = text(network)

    shown.encode()
    assert "\x1b" not in shown and "\x07" not in shown
    assert "\\x1b[31m\\r\\n  int8[1,8,8,3]  scale 3e+38" in shown
    facts = json.loads(json.dumps(describe(network), allow_nan=False))
    assert facts["subgraphs"][0]["operators"][2]["options"] == {"beta": "inf"}


def test_the_description_holds_the_facts_of_the_text() -> None:
    facts = describe(conv_network(), 1500)

    assert (facts["size_bytes"], facts["schema_version"]) == (1500, 3)
    assert facts["inputs"] == [
        {
            "index": 0,
            "name": "x",
            "dtype": "int8",
            "shape": [1, 8, 8, 3],
            "quantization": {"scales": [0.5], "zero_points": [3], "axis": None},
        }
    ]
    assert facts["signatures"] == [{"key": "serving_default", "subgraph": 0, "inputs": {"x": 0}, "outputs": {"y": 6}}]
    assert facts["totals"]["macs"] == 6912
    conv = facts["subgraphs"][0]["operators"][0]
    assert (conv["name"], conv["version"], conv["macs"], conv["weights_bytes"]) == ("CONV_2D", 3, 6912, 124)
    assert conv["options"]["padding"] == "SAME"
    assert conv["weight_scales"] == 4


def test_what_follows_the_flatbuffer_and_is_no_zip_is_told() -> None:
    assert describe(replace(conv_network(), trailer=b"PK?"))["files"] == [{"name": "(not a zip)", "size_bytes": 3}]


def test_names_are_made_printable_and_shortened_within() -> None:
    assert printable("caf\xe9 \udcff\t") == "caf\xe9 \ufffd\\t"
    assert shorten("model/layer/output", 12) == "mod...output"
    assert shorten("short", 12) == "short"


@pytest.mark.data
def test_a_compiled_edge_tpu_file_shows_its_operator(data: Path) -> None:
    path = data / "tflite" / "google-coral__test_data__a4cb1e49__mobilenet_v1_0.25_128_quant_edgetpu.tflite"

    shown = text(read_file(path), path.stat().st_size)

    assert "edgetpu-custom-op" in shown
    assert "file imagenet_labels.txt" in shown
