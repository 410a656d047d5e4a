"""Decode a WAV file held in memory.

Python's ``wave`` refuses WAVE_FORMAT_EXTENSIBLE before 3.12, which 24-bit recorders write, and floating point always.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgecompile.core.units import counted
from edgecompile.frontend.data_set import Array

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """``samples`` is ``float32[n, channels]``: an integer of b bits is divided by 2^(b-1)."""

    sample_rate: int
    samples: Array


def decode(content: bytes) -> Clip:
    """PCM of 8 (unsigned), 16, 24, 32 bits (signed) or 32-bit floating point, plain or extensible.

    Raises ValueError with the reason. Format: Microsoft, Multimedia Programming Interface and Data
    Specifications 1.0 (1991), "Waveform Audio File Format"; extensible: mmreg.h, WAVEFORMATEXTENSIBLE.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("it does not open with RIFF and WAVE")
    form = None
    for name, body, declared in _chunks(content):
        if name == b"fmt ":
            form = _form(body)
        elif name == b"data":
            if form is None:
                raise ValueError("its samples come before their format")
            return _clip(body, declared, *form)
    raise ValueError("it holds no samples (no `data` chunk)")


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, bytes and declared size of each chunk; chunks start at even offsets."""
    offset = 12
    while offset + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, offset)
        yield name, content[offset + 8 : offset + 8 + size], size
        offset += 8 + size + size % 2


def _form(body: bytes) -> tuple[int, int, int, int]:
    """Format tag, channels, sample rate and bits."""
    if len(body) < 16:
        raise ValueError("its format chunk is cut off")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        # The sub-format's GUID opens with the tag that would otherwise stand in front.
        (tag,) = struct.unpack_from("<H", body, 24)
    if not channels or not rate:
        raise ValueError(f"it declares {counted(channels, 'channel')} at {rate} Hz")
    if (tag, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32)}:
        raise ValueError(f"its samples are coded as format {tag} with {bits} bits")
    return tag, channels, rate, bits


def _clip(body: bytes, declared: int, tag: int, channels: int, rate: int, bits: int) -> Clip:
    frame = channels * bits // 8
    # Streaming recorders write 0 or the largest number where the size is not known in advance.
    if len(body) < declared and declared < 0x7FFFFFFF:
        raise ValueError(f"it is cut off: {declared} bytes of samples declared, {len(body)} found")
    count = len(body) // frame
    if not count:
        raise ValueError("it holds no samples")
    flat = _scaled(body[: count * frame], tag, bits)
    return Clip(sample_rate=rate, samples=flat.reshape(count, channels))


def _scaled(body: bytes, tag: int, bits: int) -> Array:
    if tag == _FLOAT:
        return np.frombuffer(body, dtype="<f4").astype(np.float32)
    if bits == 8:
        return (np.frombuffer(body, dtype=np.uint8).astype(np.float32) - 128) / 128
    if bits == 24:
        # Three bytes become the upper three of an int32, which keeps the sign.
        wide = np.zeros((len(body) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(body, dtype=np.uint8).reshape(-1, 3)
        return (wide.reshape(-1).view("<i4") / 2**31).astype(np.float32)
    integers: Array = np.frombuffer(body, dtype=f"<i{bits // 8}")
    scaled: Array = integers / 2 ** (bits - 1)
    return scaled.astype(np.float32)
