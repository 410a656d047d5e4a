"""Clips of sound to the features that the device will compute, for every split alike."""

from __future__ import annotations

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.project import DataSpec
from edgecompile.features.compute import compute, real
from edgecompile.features.plan import Plan, plan_of
from edgecompile.frontend.data_set import Array


def plan_for(shape: tuple[int, ...], spec: DataSpec, source: str) -> Plan:
    """The plan of the device's front end for samples of that shape. Raises BadInputError EC286."""
    if len(shape) != 1:
        raise _not_possible(source, f"a sample has the shape {list(shape)}, and features are computed of one channel")
    try:
        return plan_of(spec.features, spec.preprocess.sample_rate, shape[0])
    except ValueError as error:
        raise _not_possible(source, *str(error).split("; ")) from None


def apply(x: Array, spec: DataSpec, source: str) -> Array:
    """``float32[n, rows, columns]`` of ``int16[n, length]``, or of floating point samples in -1...1.

    Without features ``x`` itself. Raises BadInputError EC286 for settings that no front end can have, for more than
    one channel, and for numbers that are no sound.
    """
    if spec.features.kind is None:
        return x
    plan = plan_for(x.shape[1:], spec, source)
    return real(compute(plan, to_int16(x, source)))


def to_int16(x: Array, source: str) -> Array:
    """Samples as a converter gives them. Raises BadInputError EC286 for other integers, and beyond -1...1."""
    if x.dtype == np.int16:
        return x
    if x.dtype.kind != "f":
        raise _not_possible(source, f"samples are {x.dtype}; expected: int16, or floating point numbers in -1...1")
    most = float(np.max(np.abs(x), initial=0.0))
    if not most <= 1.0:
        raise _not_possible(source, f"limit: floating point samples in -1...1; found: {most:.6g}")
    return np.asarray(np.clip(np.rint(x * np.float32(32768)), -32768, 32767), np.int16)


def _not_possible(source: str, *notes: str) -> EdgecompileError:
    return bad_input(
        "EC286",
        "these features cannot be computed of this sound",
        Location(file=source, detail="[data.features]"),
        notes=notes,
        help=("change [data.features], or `sample_rate` and `length` under [data.preprocess]",),
    )
