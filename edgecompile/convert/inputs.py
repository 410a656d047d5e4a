"""What a model takes and what it is calibrated with, held against each other before the converter sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input, rejected
from edgecompile.core.port import Port
from edgecompile.core.units import counted

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Input:
    """A :class:`Port` as read from a Keras model."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def sample_shape(port: Port) -> tuple[int, ...]:
    """The shape of one sample, without the batch.

    Raises EC405 when a dimension is not known, EC412 when the input does not hold numbers.
    """
    if port.dtype not in _NUMBERS:
        raise rejected(
            "EC412",
            f"input `{port.name}` holds `{port.dtype}`, which no device of this compiler takes",
            Location(layer=port.name),
            notes=[f"inputs may be {', '.join(_NUMBERS)}; found {port.dtype}"],
            help=["turn it into numbers before the model, and give the model an input of numbers"],
        )
    known = tuple(size for size in port.shape[1:] if size is not None)
    if len(known) != len(port.shape) - 1:
        raise rejected(
            "EC405",
            f"input `{port.name}` has a dimension that is not known",
            Location(layer=port.name),
            notes=[f"shape {_written(port.shape)}, where None is not known; memory is planned before the model runs"],
            help=["give the layer `Input(shape=...)` whole numbers and save the model again"],
        )
    return known


def checked_calibration(
    inputs: Sequence[Port], calibration: Sequence[Array] | None, numerics: str
) -> tuple[Array, ...]:
    """The calibration arrays in the inputs' dtypes, ``[samples, *sample_shape]`` each.

    Raises EC402 when there are none, EC403 when they do not fit the inputs, EC404 when they hold
    NaN or infinities.
    """
    if not calibration or len(calibration[0]) == 0:
        raise bad_input(
            "EC402",
            f"`{numerics}` needs samples to calibrate with, and there are none",
            notes=["the range of every activation is measured on samples of real data"],
            help=["name data in `edgecompile.toml` under [data], or accept noise with --random-calibration"],
        )
    if len(calibration) != len(inputs):
        raise _unfit(f"the model takes {counted(len(inputs), 'input')}, the calibration data has {len(calibration)}")
    return tuple(_checked(port, array, len(calibration[0])) for port, array in zip(inputs, calibration, strict=True))


def _checked(port: Port, array: Array, samples: int) -> Array:
    wanted = sample_shape(port)
    if array.shape[1:] != wanted or len(array) != samples:
        raise _unfit(
            f"input `{port.name}` takes {_written((samples, *wanted))}, the calibration data is {_written(array.shape)}"
        )
    if array.dtype.kind not in "fiub":
        raise _unfit(f"input `{port.name}` takes {port.dtype}, the calibration data is {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        raise bad_input(
            "EC404",
            f"calibration data of input `{port.name}` holds NaN or infinite values",
            Location(layer=port.name),
            notes=[f"found: {len(bad)} of {counted(len(array), 'sample')}, the first is sample {bad[0]}"],
            help=["remove these samples, or repair what produces them"],
        )
    return array.astype(port.dtype, copy=False)


def _unfit(found: str) -> Exception:
    return bad_input(
        "EC403",
        "the calibration data does not fit the model",
        notes=[found],
        help=["give one array for each input, in the model's order, samples on the first axis"],
    )


def _written(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"


_NUMBERS = ("float32", "float16", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")
