"""TFLite metadata: what Android's tools read about a model's inputs, outputs and labels, as plain data.

A file holds it as a flatbuffer in the buffer that its metadata entry ``TFLITE_METADATA`` names; the files that it
mentions (labels) follow the model as a zip. Source of the tables: tensorflow/tflite-support,
tensorflow_lite_support/metadata/metadata_schema.fbs, schema version 1.1.0; newer fields at the end are left out.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.spelling import printable
from edgecompile.libs.flat_tables import Schema, read, write

ENTRY = "TFLITE_METADATA"
# The first date that a zip can hold: the time of the build would change the file.
_DATE = (1980, 1, 1, 0, 0, 0)

FILE_TYPES = (
    "UNKNOWN",
    "DESCRIPTIONS",
    "TENSOR_AXIS_LABELS",
    "TENSOR_VALUE_LABELS",
    "TENSOR_AXIS_SCORE_CALIBRATION",
    "VOCABULARY",
)
COLOR_SPACES = ("UNKNOWN", "RGB", "GRAYSCALE")

SCHEMA = Schema(
    root="ModelMetadata",
    identifier=b"M001",
    tables={
        "AssociatedFile": (("name", "string"), ("description", "string"), ("type", "byte"), ("locale", "string")),
        "FeatureProperties": (),
        "ImageSize": (("width", "uint"), ("height", "uint")),
        "ImageProperties": (("color_space", "byte"), ("default_size", "ImageSize")),
        "BoundingBoxProperties": (("index", "[uint]"), ("type", "byte"), ("coordinate_type", "byte")),
        "AudioProperties": (("sample_rate", "uint"), ("channels", "uint")),
        "ValueRange": (("min", "int"), ("max", "int")),
        "Content": (("content_properties", "union:ContentProperties"), ("range", "ValueRange")),
        "NormalizationOptions": (("mean", "[float]"), ("std", "[float]")),
        "ScoreCalibrationOptions": (("score_transformation", "byte"), ("default_score", "float")),
        "ScoreThresholdingOptions": (("global_score_threshold", "float"),),
        "BertTokenizerOptions": (("vocab_file", "[AssociatedFile]"),),
        "SentencePieceTokenizerOptions": (
            ("sentencePiece_model", "[AssociatedFile]"),
            ("vocab_file", "[AssociatedFile]"),
        ),
        "ProcessUnit": (("options", "union:ProcessUnitOptions"),),
        "Stats": (("max", "[float]"), ("min", "[float]")),
        "TensorMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("dimension_names", "[string]"),
            ("content", "Content"),
            ("process_units", "[ProcessUnit]"),
            ("stats", "Stats"),
            ("associated_files", "[AssociatedFile]"),
        ),
        "SubGraphMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("input_tensor_metadata", "[TensorMetadata]"),
            ("output_tensor_metadata", "[TensorMetadata]"),
            ("associated_files", "[AssociatedFile]"),
            ("input_process_units", "[ProcessUnit]"),
            ("output_process_units", "[ProcessUnit]"),
        ),
        "ModelMetadata": (
            ("name", "string"),
            ("description", "string"),
            ("version", "string"),
            ("subgraph_metadata", "[SubGraphMetadata]"),
            ("author", "string"),
            ("license", "string"),
            ("associated_files", "[AssociatedFile]"),
            ("min_parser_version", "string"),
        ),
    },
    unions={
        "ContentProperties": ("FeatureProperties", "ImageProperties", "BoundingBoxProperties", "AudioProperties"),
        "ProcessUnitOptions": (
            "NormalizationOptions",
            "ScoreCalibrationOptions",
            "ScoreThresholdingOptions",
            "BertTokenizerOptions",
            "SentencePieceTokenizerOptions",
        ),
    },
)


def read_metadata(network: Network) -> dict[str, Any] | None:
    """The metadata as plain data by the schema's names; None where there is none, or none that can be read."""
    entry = network.metadata.get(ENTRY)
    try:
        return None if entry is None else read(SCHEMA, bytes(entry.data))
    except ValueError:
        return None


def attach_metadata(network: Network, metadata: Mapping[str, Any], files: Mapping[str, bytes]) -> Network:
    """The network with this metadata and these files behind it, instead of what it had. Equal input, equal bytes."""
    entries = {**network.metadata, ENTRY: Buffer(write(SCHEMA, metadata))}
    return replace(network, metadata=entries, trailer=_zip(files) if files else b"")


def told(metadata: Mapping[str, Any] | None) -> list[str]:
    """The metadata in lines: the model, then each input and output with its kind, normalization and files."""
    if metadata is None:
        return []
    lines = [f"{key} {metadata[key]}" for key in ("name", "version", "author", "license") if metadata.get(key)]
    for subgraph in metadata.get("subgraph_metadata") or ():
        for side, kind in (("input_tensor_metadata", "input"), ("output_tensor_metadata", "output")):
            lines += [f"{kind} {_tensor_line(tensor)}" for tensor in subgraph.get(side) or ()]
    return [printable(line) for line in lines]


def _tensor_line(tensor: Mapping[str, Any]) -> str:
    described: Mapping[str, Any] = tensor.get("content") or {}
    properties: tuple[str, Mapping[str, Any]] = described.get("content_properties") or ("", {})
    kind, content = properties
    words = [str(tensor.get("name", "")), str(kind).removesuffix("Properties").lower()]
    color = content.get("color_space", 0)
    words += [COLOR_SPACES[color]] if 0 < color < len(COLOR_SPACES) else []
    for unit in tensor.get("process_units") or ():
        name, options = unit.get("options") or ("", {})
        if name == "NormalizationOptions":
            words.append(f"mean {_numbers(options, 'mean')} std {_numbers(options, 'std')}")
    words += [f"labels in {file.get('name')}" for file in tensor.get("associated_files") or ()]
    return ", ".join(word for word in words if word)


def _numbers(options: Mapping[str, Any], key: str) -> str:
    return " ".join(f"{value:g}" for value in options.get(key) or ())


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, not deflated: Android's tools map the model into memory and read the files where they are."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, date_time=_DATE)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)
    return stream.getvalue()
