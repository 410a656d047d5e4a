"""A ``.tflite`` file to a :class:`~edgecompile.ir.network.Network`, losing nothing.

What the Network does not model stays in its ``raw`` objects. They hold no constants and no
children: those are the Network's. Storage outside the flatbuffer (models over 2 GB) is marked
there with the offset ``OUTSIDE``; the writer puts the true one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.ir import trailer
from edgecompile.ir.decode import cut_off, decode
from edgecompile.ir.identify import identify
from edgecompile.ir.network import EMPTY, Buffer, Network, Operator, Quantization, Signature, Subgraph, Tensor
from edgecompile.ir.options import dtype_name, options_of
from edgecompile.ir.verify import builtin_code, verify
from edgecompile.ir.verify_values import verify_values
from edgecompile.libs.schema import names_of

# Offsets 0 and 1 mean "inside"; any above points beyond the flatbuffer. Source: Buffer in TFLite's schema.fbs.
OUTSIDE = 2
_ALIGNMENT = 16


def read(content: bytes, name: str = "model.tflite") -> Network:
    """The network in a file's bytes; constants are views of ``content``. ``name`` stands in messages.

    Raises BadInputError, and nothing else, whatever the bytes are: EC210 empty, EC211 cut off,
    EC212 no TFLite file, EC213 damaged, EC214 newer than the schema, EC215 no subgraph, EC216 an
    index out of range, EC217 a constant of the wrong size, EC218 an impossible shape, EC219
    operators out of order, EC220 a version that no interpreter runs, EC221 odd quantization, EC222 an operator that
    lacks inputs, outputs or settings.
    """
    content = bytes(content)
    identify(content, name)
    decoded = decode(content, "Model", name)
    model, file = decoded.root, _File(content, name, decoded.end)
    verify(model, name)
    buffers = tuple(_buffer(raw, file, f"buffers[{i}]") for i, raw in enumerate(model.buffers or ()))
    network = Network(
        subgraphs=tuple(
            _subgraph(raw, model, buffers, file, f"subgraphs[{i}]") for i, raw in enumerate(model.subgraphs)
        ),
        buffers=buffers,
        signatures=tuple(signature_of(raw) for raw in model.signatureDefs or ()),
        metadata=metadata_of(model.metadata, buffers),
        description=text_of(model.description),
        version=model.version,
        trailer=file.trailer(),
        raw=model,
    )
    _empty(model, "subgraphs", "buffers")
    verify_values(network, name)
    return network


def read_file(path: str | Path) -> Network:
    """The network in a file. Raises as :func:`read`, and OSError where the file cannot be read."""
    return read(Path(path).read_bytes(), str(path))


class _File:
    """The bytes, and how far of them has been accounted for."""

    def __init__(self, content: bytes, name: str, end: int) -> None:
        self.content, self.name, self.end = content, name, end

    def outside(self, offset: int, size: int, path: str) -> memoryview:
        """Bytes stored behind the flatbuffer."""
        if offset + size > len(self.content):
            raise cut_off(self.name, path, offset, size, len(self.content))
        self.end = max(self.end, offset + size)
        return memoryview(self.content)[offset : offset + size]

    def trailer(self) -> bytes:
        """What is left, without the zeros that align it."""
        start, aligned = self.end, -(-self.end // _ALIGNMENT) * _ALIGNMENT
        while start < min(aligned, len(self.content)) and self.content[start] == 0:
            start += 1
        return trailer.detach(self.content[start:])


def _buffer(raw: Any, file: _File, path: str) -> Buffer:
    data, raw.data = raw.data, None
    if raw.offset >= OUTSIDE:
        outside = file.outside(raw.offset, raw.size, path)
        raw.offset, raw.size = OUTSIDE, 0
        return Buffer(outside, raw)
    if data is None or len(data) == 0:
        # An empty vector and none at all are written back as they were.
        raw.data = data
        return Buffer(b"", raw)
    return Buffer(memoryview(data), raw)


def _subgraph(raw: Any, model: Any, buffers: tuple[Buffer, ...], file: _File, path: str) -> Subgraph:
    tensors = tuple(_tensor(tensor, buffers) for tensor in raw.tensors or ())
    operators = tuple(
        _operator(operator, model.operatorCodes[operator.opcodeIndex], file, f"{path}.operators[{i}]")
        for i, operator in enumerate(raw.operators or ())
    )
    _empty(raw, "tensors", "operators")
    return Subgraph(
        name=text_of(raw.name),
        tensors=tensors,
        operators=operators,
        inputs=ints_of(raw.inputs),
        outputs=ints_of(raw.outputs),
        raw=raw,
    )


def _tensor(raw: Any, buffers: tuple[Buffer, ...]) -> Tensor:
    buffer = buffers[raw.buffer] if buffers else EMPTY
    return Tensor(
        name=text_of(raw.name),
        shape=ints_of(raw.shape),
        dtype=str(dtype_name(raw.type)),
        buffer=buffer if len(buffer) else EMPTY,
        quantization=quantization_of(raw.quantization, ints_of(raw.shape)),
        shape_signature=ints_of(raw.shapeSignature),
        is_variable=bool(raw.isVariable),
        raw=raw,
    )


def quantization_of(raw: Any, shape: tuple[int, ...]) -> Quantization | None:
    """Scales and zero points of a ``QuantizationParametersT``; None when it has no scale.

    A missing zero point is 0, and a single one holds for all scales. Converters of 2019 gave a
    bias the axis of its weights; where the tensor has no such axis, the one that fits is meant.
    """
    if raw is None or raw.scale is None or len(raw.scale) == 0:
        return None
    scales = tuple(np.asarray(raw.scale, dtype=np.float32).tolist())
    points = ints_of(raw.zeroPoint) or (0,)
    if len(points) == 1:
        points *= len(scales)
    axis = int(raw.quantizedDimension)
    if not 0 <= axis < len(shape) and len(scales) in shape:
        axis = shape.index(len(scales))
    return Quantization(scales=scales, zero_points=points, axis=axis, raw=raw)


def _operator(raw: Any, code: Any, file: _File, path: str) -> Operator:
    name = names_of("BuiltinOperator")[builtin_code(code)]
    if raw.largeCustomOptionsOffset >= OUTSIDE:
        custom = bytes(file.outside(raw.largeCustomOptionsOffset, raw.largeCustomOptionsSize, path))
        raw.largeCustomOptionsOffset, raw.largeCustomOptionsSize = OUTSIDE, 0
    else:
        custom = b"" if raw.customOptions is None else bytes(raw.customOptions)
    return Operator(
        name=name,
        inputs=ints_of(raw.inputs),
        outputs=ints_of(raw.outputs),
        options=options_of(raw),
        version=int(code.version),
        custom_code=text_of(code.customCode) if name == "CUSTOM" else None,
        custom_options=custom,
        raw=raw,
    )


def _empty(raw: Any, *fields: str) -> None:
    """Take the children out of a raw object, keeping the difference between no list and an empty one."""
    for field in fields:
        setattr(raw, field, None if getattr(raw, field) is None else [])


def signature_of(raw: Any) -> Signature:
    """A ``SignatureDefT`` as the Network has it."""
    return Signature(
        key=text_of(raw.signatureKey),
        subgraph=int(raw.subgraphIndex),
        inputs=_arguments(raw.inputs),
        outputs=_arguments(raw.outputs),
    )


def _arguments(entries: Iterable[Any] | None) -> Mapping[str, int]:
    return {text_of(entry.name): int(entry.tensorIndex) for entry in entries or ()}


def metadata_of(entries: Iterable[Any] | None, buffers: tuple[Buffer, ...]) -> dict[str, Buffer]:
    """Metadata entries by name; of equal names the last one counts."""
    return {text_of(entry.name): buffers[entry.buffer] for entry in entries or ()}


def text_of(value: bytes | None) -> str:
    """A schema string; bytes that are no UTF-8 survive as surrogates."""
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def ints_of(vector: Any) -> tuple[int, ...]:
    """A schema vector of integers; none at all is empty."""
    return () if vector is None else tuple(np.asarray(vector).tolist())
