"""Compiled models made with the flatbuffers library: an independent writer of what `ir/compiled.py` reads."""

from __future__ import annotations

from collections.abc import Sequence

import flatbuffers
from flatbuffers import flexbuffers

from edgecompile.ir.network import Network, Operator, Subgraph, Tensor


def executable(kind: int, parameters: bytes, instructions: bytes = b"\0" * 16, inputs: Sequence[str] = ()) -> bytes:
    """One program; only the fields that are read."""
    builder = flatbuffers.Builder(256)
    data = builder.CreateByteVector(parameters)
    stream = _table(builder, 1, {0: builder.CreateByteVector(instructions)})
    streams = _vector(builder, [stream])
    layers = _vector(builder, [_layer(builder, name) for name in inputs])
    chip = builder.CreateString("beagle")
    builder.StartObject(17)
    builder.PrependInt32Slot(4, 96, 0)
    builder.PrependUOffsetTRelativeSlot(5, streams, 0)
    builder.PrependUOffsetTRelativeSlot(6, data, 0)
    builder.PrependUOffsetTRelativeSlot(8, layers, 0)
    builder.PrependUOffsetTRelativeSlot(10, chip, 0)
    builder.PrependInt32Slot(11, 1234, 0)
    builder.PrependInt32Slot(12, 4096, 0)
    builder.PrependInt16Slot(13, kind, 0)
    builder.PrependUint64Slot(14, 2**63 + 5, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def package(programs: Sequence[bytes], runtime: int = 14) -> bytes:
    """A package of these programs."""
    inner = flatbuffers.Builder(256)
    inner.Finish(_table(inner, 1, {0: _vector(inner, [inner.CreateString(program) for program in programs])}))
    builder = flatbuffers.Builder(256)
    content = builder.CreateByteVector(bytes(inner.Output()))
    compiler = builder.CreateString("cl/1")
    builder.StartObject(8)
    builder.PrependInt32Slot(0, runtime, 0)
    builder.PrependUOffsetTRelativeSlot(1, content, 0)
    builder.PrependUOffsetTRelativeSlot(4, compiler, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"DWN1")
    return bytes(builder.Output())


def options(content: bytes) -> bytes:
    """The custom options around a package."""
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("1")
        builder.Int(0)
        builder.Key("4")
        builder.String(content.decode("latin-1")) if content.isascii() else builder.Blob(content)
        builder.Key("5")
        builder.Int(-1)
        builder.Key("6")
        builder.TypedVectorFromElements([18])
    return bytes(builder.Finish())


def model(custom_options: bytes) -> Network:
    """A compiled operator, and a QUANTIZE left on the CPU."""
    tensors = tuple(Tensor(name=name, shape=(1, 4), dtype="int8") for name in ("x", "y", "z"))
    operators = (
        Operator(
            name="CUSTOM", custom_code="edgetpu-custom-op", custom_options=custom_options, inputs=(0,), outputs=(1,)
        ),
        Operator(name="QUANTIZE", inputs=(1,), outputs=(2,)),
    )
    return Network(subgraphs=(Subgraph(name="main", tensors=tensors, operators=operators, inputs=(0,), outputs=(2,)),))


def _layer(builder: flatbuffers.Builder, name: str) -> int:
    text = builder.CreateString(name)
    builder.StartObject(2)
    builder.PrependInt32Slot(0, 128, 0)
    builder.PrependFloat32Slot(1, 0.5, 0.0)
    numerics = builder.EndObject()
    builder.StartObject(10)
    builder.PrependUOffsetTRelativeSlot(0, text, 0)
    for field, value in ((1, 64), (2, 4), (3, 4), (4, 3)):
        builder.PrependInt32Slot(field, value, 0)
    builder.PrependUOffsetTRelativeSlot(5, numerics, 0)
    builder.PrependInt16Slot(6, 0, -1)
    return int(builder.EndObject())


def _table(builder: flatbuffers.Builder, fields: int, offsets: dict[int, int]) -> int:
    builder.StartObject(fields)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
