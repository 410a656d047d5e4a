"""Seeded random inputs, for when there is no data: shapes and types are right, ranges are a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.convert.inputs import sample_shape
from edgecompile.core.port import Port

# What a float input is assumed to lie in; said in the report, since accuracy hangs on it.
RANGE = (-1.0, 1.0)
# Integer inputs are mostly indices into an embedding; 0 and 1 are in every vocabulary.
INTEGER_RANGE = (0, 1)


def random_inputs(
    inputs: Sequence[Port], samples: int, seed: int, ranges: Mapping[str, tuple[float, float]] | None = None
) -> tuple[np.ndarray[Any, Any], ...]:
    """One array for each input, samples first, uniform in ``ranges[name]`` or in the range assumed for its type.

    Floats are drawn from [low, high), integers from low to high inclusive. The same seed gives the
    same arrays, and an input's values do not depend on how many inputs follow it.
    Raises EC405 for an input with an unknown dimension and EC412 for one without numbers.
    """
    chosen = ranges or {}
    generators = np.random.SeedSequence(seed).spawn(len(inputs))
    return tuple(
        _draw(port, samples, np.random.default_rng(sequence), chosen.get(port.name))
        for port, sequence in zip(inputs, generators, strict=True)
    )


def _draw(
    port: Port, samples: int, random: np.random.Generator, limits: tuple[float, float] | None
) -> np.ndarray[Any, Any]:
    shape, dtype = (samples, *sample_shape(port)), np.dtype(port.dtype)
    if dtype.kind == "f":
        low, high = limits or RANGE
        return random.uniform(low, high, shape).astype(dtype)
    first, last = (int(limit) for limit in limits or INTEGER_RANGE)
    return random.integers(first, last, shape, endpoint=True).astype(dtype)
