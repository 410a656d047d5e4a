"""A ``ModelT`` to bytes: constants aligned to 16, storage outside the flatbuffer where it is asked for.

flatbuffers' Python code ignores ``force_align`` of the schema, on which TFLite's kernels rely; so
the vectors of constants are laid here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from edgecompile.libs.schema import FILE_IDENTIFIER, builder, schema

ALIGNMENT = 16
Bytes = bytes | memoryview


class Constants:
    """Stands for a ``BufferT`` while a model is packed; ``outside`` constants only leave their place and size."""

    def __init__(self, data: Bytes, raw: Any, outside: bool) -> None:
        self.data, self.raw, self.outside = data, raw, outside
        self.offset = 0

    def Pack(self, into: Any) -> Any:
        """The packed table; the name is the one that the generated code calls."""
        made, vector = schema(), None
        if not self.outside and (len(self.data) or self.raw.data is not None):
            vector = aligned_vector(into, self.data)
        made.BufferStart(into)
        if vector is not None:
            made.BufferAddData(into, vector)
        made.BufferAddOffset(into, self.offset if self.outside else self.raw.offset)
        made.BufferAddSize(into, len(self.data) if self.outside else self.raw.size)
        return made.BufferEnd(into)


def aligned_vector(into: Any, data: Bytes) -> Any:
    """A vector of bytes whose first byte is aligned to 16 from the end, and so from the front, of the flatbuffer."""
    into.StartVector(1, len(data), ALIGNMENT)
    into.head -= len(data)
    into.Bytes[into.head : into.head + len(data)] = data
    return into.EndVector()


def pack(model: Any, outside: Sequence[Any], size_hint: int) -> bytes:
    """The flatbuffer, a multiple of 16 bytes, followed by what is stored outside.

    ``outside``: objects whose ``data`` goes there and whose ``offset`` learns where.
    """
    # An offset's value takes the same room whatever it is, so the second packing is as long as the first.
    _place(outside, 2, 0)
    flatbuffer = _finish(model, size_hint)
    if not outside:
        return flatbuffer
    _place(outside, len(flatbuffer), 1)
    flatbuffer = _finish(model, size_hint)
    return flatbuffer + b"".join(bytes(item.data) + bytes(-len(item.data) % ALIGNMENT) for item in outside)


def _place(outside: Iterable[Any], start: int, step: int) -> None:
    for item in outside:
        item.offset = start
        start += step * -(-len(item.data) // ALIGNMENT) * ALIGNMENT


def _finish(model: Any, size_hint: int) -> bytes:
    into = builder(size_hint)
    root = model.Pack(into)
    into.Prep(ALIGNMENT, 0)
    into.Finish(root, file_identifier=FILE_IDENTIFIER)
    return bytes(into.Output())
