"""A WAV file as a sample of a model that hears: what the device's front end gets, and what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.features.compute import compute
from edgecompile.features.plan import Plan, from_dict
from edgecompile.features.quantized import scaled
from edgecompile.frontend import data_wav
from edgecompile.frontend.data_features import to_int16

Array = np.ndarray[Any, Any]


def is_sound(name: str) -> bool:
    """Whether a file of inputs is to be heard."""
    return Path(name).suffix.lower() == ".wav"


def clip_of(name: str, data: Mapping[str, Any]) -> Array:
    """``int16[1, length]`` at the rate of the build, cut or padded with zeros. Raises EC111 for a model that does not
    hear, EC275 and EC276 as for data."""
    plan, path = _plan(name, data), Path(name)
    if not path.is_file():
        raise _no_sound(name, "there is no such file")
    spec = DataSpec(preprocess=Preprocess(sample_rate=plan.sample_rate, length=plan.length))
    return to_int16(data_wav.read([path], path.parent, spec, name), name)


def features_of(clip: Array, data: Mapping[str, Any]) -> Array:
    """Real values for the model's input, ``[1, rows, columns]``, by the twin of the device's front end."""
    given = data.get("preprocess", {})
    scale, offset = (tuple(given.get(key, ())) for key in ("scale", "offset"))
    return scaled(compute(_plan("", data), clip), scale, offset)


def _plan(name: str, data: Mapping[str, Any]) -> Plan:
    if "features" not in data:
        raise _no_sound(name, "the build has no [data.features]: its model takes numbers")
    return from_dict(data["features"])


def _no_sound(name: str, reason: str) -> EdgecompileError:
    help = ("build with [data.features] to run clips, or give a .npz with what the model takes",)
    return bad_input("EC111", f"`{name}` holds no inputs for this model", location=name, notes=(reason,), help=help)
