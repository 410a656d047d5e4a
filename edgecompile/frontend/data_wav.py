"""WAV files to arrays: one channel, one sample rate, one length."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.project import DataSpec
from edgecompile.core.units import counted
from edgecompile.frontend.data_room import demand_room
from edgecompile.frontend.data_set import Array
from edgecompile.frontend.resample import integer_ratio, resample
from edgecompile.frontend.wav import Clip, decode

SUFFIXES = frozenset({".wav"})
# From 3 kHz to 192 kHz; a header that says more would have a second of sound filtered for hours.
_MOST_FACTOR = 64


def read(files: list[Path], folder: Path, spec: DataSpec, source: str) -> Array:
    """``float32[n, length]`` in -1...1: channels averaged, resampled, cut or zero-padded at the end.

    A file with another rate than ``sample_rate`` (or, without it, than the first file) is
    resampled when one rate is a multiple of the other. Raises BadInputError: EC275 for a file that is no
    WAV we read, EC276 when rates are no multiples, or lengths differ and no ``length`` is given.
    """
    rate, length = spec.preprocess.sample_rate, spec.preprocess.length
    sounds = []
    for path in files:
        name = str(path.relative_to(folder))
        clip = _decoded(path, name, source)
        if rate is None:
            rate = clip.sample_rate
        mono = _at_rate(clip, rate, name, source, declared=spec.preprocess.sample_rate is not None)
        length = len(mono) if length is None else length
        demand_room((len(files), length), "float32", source, "make them shorter: `length`")
        if spec.preprocess.length is None and len(mono) != length:
            raise _lengths_differ(name, len(mono), length, source)
        sounds.append(_fit(mono, length))
    return np.stack(sounds)


def _decoded(path: Path, name: str, source: str) -> Clip:
    try:
        return decode(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise bad_input(
            "EC275",
            f"`{name}` cannot be read as a WAV file",
            Location(file=source, detail=name),
            notes=(reason.lower(), "read: PCM of 8, 16, 24 and 32 bits, and 32-bit floating point"),
            help=("write the file again, or take it out of the folder",),
        ) from None


def _at_rate(clip: Clip, rate: int, name: str, source: str, declared: bool) -> Array:
    mono: Array = clip.samples.mean(axis=1, dtype=np.float32)
    if clip.sample_rate == rate:
        return mono
    if declared and integer_ratio(clip.sample_rate, rate, _MOST_FACTOR):
        return resample(mono, clip.sample_rate, rate)
    limit = f"`sample_rate` is {rate} Hz" if declared else f"the files before it have {rate} Hz"
    raise bad_input(
        "EC276",
        f"`{name}` has another sample rate",
        Location(file=source, detail=name),
        notes=(
            limit,
            f"found: {clip.sample_rate} Hz",
            f"resampled here: rates of which one is a multiple of the other, {_MOST_FACTOR} times at most",
        ),
        help=(
            f"convert it first, as in `ffmpeg -i {name} -ar {rate} ...`"
            if declared
            else "set `sample_rate` under [data.preprocess] to the rate that the device records with",
        ),
    )


def _fit(mono: Array, length: int) -> Array:
    return np.pad(mono[:length], (0, max(0, length - len(mono)))).astype(np.float32)


def _lengths_differ(name: str, found: int, expected: int, source: str) -> EdgecompileError:
    return bad_input(
        "EC276",
        "the WAV files have different lengths, and no `length` is given",
        Location(file=source, detail=name),
        notes=(f"`{name}` has {counted(found, 'sample')}", f"the files before it have {expected}"),
        help=("set `length` under [data.preprocess] to the samples that the model takes",),
    )
