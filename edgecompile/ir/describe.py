"""All facts that ``inspect`` shows about a network, as plain JSON types."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edgecompile.ir.compiled import Package
from edgecompile.ir.compiled_text import describe_packages
from edgecompile.ir.costs import cost_of, totals
from edgecompile.ir.model_metadata import read_metadata
from edgecompile.ir.network import Buffer, Network, Operator, Quantization, Subgraph, Tensor
from edgecompile.ir.spelling import printable

_LONGEST_TEXT = 64


def describe(network: Network, size_bytes: int | None = None, packages: Sequence[Package] = ()) -> dict[str, Any]:
    """The network as a JSON object; ``size_bytes`` is the file's size, left out when not known.

    ``packages`` is what ``compiled.packages_of`` found in it.
    """
    return {
        **({} if size_bytes is None else {"size_bytes": size_bytes}),
        "schema_version": network.version,
        "description": printable(network.description),
        "inputs": [_tensor(network.main, index) for index in network.main.inputs],
        "outputs": [_tensor(network.main, index) for index in network.main.outputs],
        "signatures": [
            {
                "key": printable(entry.key),
                "subgraph": entry.subgraph,
                "inputs": {printable(name): index for name, index in entry.inputs.items()},
                "outputs": {printable(name): index for name, index in entry.outputs.items()},
            }
            for entry in network.signatures
        ],
        "metadata": [_metadata(name, data) for name, data in network.metadata.items()],
        "files": _files(network.trailer),
        "model_metadata": plain(read_metadata(network)),
        "totals": asdict(totals(network)),
        **({"compiled": describe_packages(network, packages)} if packages else {}),
        "subgraphs": [_subgraph(subgraph) for subgraph in network.subgraphs],
    }


def _subgraph(subgraph: Subgraph) -> dict[str, Any]:
    return {
        "name": printable(subgraph.name),
        "tensors": len(subgraph.tensors),
        "operators": [_operator(subgraph, index, operator) for index, operator in enumerate(subgraph.operators)],
    }


def _operator(subgraph: Subgraph, index: int, operator: Operator) -> dict[str, Any]:
    return {
        "index": index,
        "name": operator.name,
        **({} if operator.custom_code is None else {"custom_code": printable(operator.custom_code)}),
        "version": operator.version,
        "options": plain(operator.options),
        "inputs": list(operator.inputs),
        "outputs": [_tensor(subgraph, tensor) for tensor in operator.outputs],
        "weight_scales": _weight_scales(subgraph, operator),
        **asdict(cost_of(subgraph, operator)),
    }


def _weight_scales(subgraph: Subgraph, operator: Operator) -> int:
    """The number of scales of the first quantized constant it reads, 0 when there is none."""
    constants = (tensor for tensor in subgraph.inputs_of(operator) if tensor is not None and tensor.is_constant)
    return next((len(tensor.quantization.scales) for tensor in constants if tensor.quantization), 0)


def _tensor(subgraph: Subgraph, index: int) -> dict[str, Any]:
    tensor: Tensor = subgraph.tensors[index]
    return {
        "index": index,
        "name": printable(tensor.name),
        "dtype": tensor.dtype,
        "shape": [None if size < 0 else size for size in tensor.shape_signature or tensor.shape],
        "quantization": _quantization(tensor.quantization),
    }


def _quantization(quantization: Quantization | None) -> dict[str, Any] | None:
    if quantization is None:
        return None
    return {
        "scales": plain(quantization.scales),
        "zero_points": list(quantization.zero_points),
        "axis": quantization.axis if quantization.per_channel else None,
    }


def _metadata(name: str, data: Buffer) -> dict[str, Any]:
    """A metadata entry; its text when it is a short one (``min_runtime_version``, padded with zeros)."""
    text = bytes(data.data[: _LONGEST_TEXT + 1]).rstrip(b"\0")
    found = {"name": printable(name), "size_bytes": len(data)}
    readable = len(data) <= _LONGEST_TEXT and text.isascii() and text.decode("ascii", "replace").isprintable()
    return {**found, "text": text.decode("ascii")} if readable and text else found


def _files(trailer: bytes) -> list[dict[str, Any]]:
    """Files in the zip that follows the flatbuffer."""
    try:
        with zipfile.ZipFile(io.BytesIO(trailer)) as archive:
            return [{"name": printable(i.filename), "size_bytes": i.file_size} for i in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError, struct.error):
        return [{"name": "(not a zip)", "size_bytes": len(trailer)}] if trailer else []


def plain(value: Any) -> Any:
    """Options and scales as JSON types; numbers that JSON has no word for as text."""
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return (
        printable(value)
        if isinstance(value, str)
        else value
        if value is None or isinstance(value, int | float)
        else str(value)
    )
