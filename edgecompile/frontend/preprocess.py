"""What the device must do to a raw input, done here to every split alike."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input
from edgecompile.core.project import Preprocess
from edgecompile.core.units import counted
from edgecompile.frontend.data_set import Array

# Keys that change how a file is read, and the readers that heed them.
READ_BY = {"resize": ("images",), "color": ("images",), "sample_rate": ("wav",), "length": ("wav",)}


def apply(x: Array, spec: Preprocess, source: str) -> Array:
    """``x * scale + offset`` as float32 where scale or offset is given, else ``x`` itself (float64 as float32).

    ``scale`` and ``offset`` are one number, or one for each channel (last axis of ``x``).
    Raises BadInputError EC267 when ``x`` holds no real numbers, EC282 when the number of scales
    or offsets fits neither.
    """
    if x.dtype.kind not in "biuf":
        raise bad_input(
            "EC267",
            f"the samples hold {'texts' if x.dtype.kind in 'US' else str(x.dtype)} where numbers are expected",
            source,
            notes=("expected: integers or floating point numbers", f"found: dtype {x.dtype}"),
            help=("turn the samples into numbers in the source",),
        )
    if not spec.scale and not spec.offset:
        return x.astype(np.float32) if x.dtype.kind == "f" and x.dtype != np.float32 else x
    channels = x.shape[-1] if x.ndim > 1 else 1
    for key, values in (("scale", spec.scale), ("offset", spec.offset)):
        if len(values) not in (0, 1, channels):
            raise bad_input(
                "EC282",
                f"`{key}` has {counted(len(values), 'number')} for data with {counted(channels, 'channel')}",
                Location(file=source, detail="[data.preprocess]"),
                notes=(f"the samples have shape {list(x.shape[1:])}; the last axis counts the channels",),
                help=(f"give `{key}` one number, or {channels}",),
            )
    result = x.astype(np.float32)
    if spec.scale:
        result *= np.asarray(spec.scale, dtype=np.float32)
    if spec.offset:
        result += np.asarray(spec.offset, dtype=np.float32)
    return result


def check_heeded(spec: Preprocess, kind: str, source: str, sound: bool = False) -> None:
    """Refuse a key that the source's reader would pass over in silence.

    ``sound``: features are computed, so any kind of source needs the sample rate. Raises BadInputError EC285.
    """
    for key, kinds in READ_BY.items():
        if sound and key == "sample_rate":
            continue
        if getattr(spec, key) is not None and kind not in kinds:
            what = {"images": "a folder of images", "wav": "a folder of WAV files"}[kinds[0]]
            raise bad_input(
                "EC285",
                f"`{key}` has no effect on this source",
                Location(file=source, detail="[data.preprocess]"),
                notes=(f"`{key}` is for {what}; this source was read as {kind}",),
                help=(f"take `{key}` out, and prepare the arrays in the source itself",),
            )


def describe(spec: Preprocess) -> dict[str, Any]:
    """The declared keys alone, as plain JSON for the report."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(spec).items() if v not in ((), None)}
