"""What to do to a model before it is compiled, and in which numbers it will run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgecompile.core.diagnostic import Location

NUMERICS = ("int8", "int16x8", "float16", "dynamic", "float32")
# AUTO tries the others and takes the one that suits the model.
AUTO = "auto"
CALIBRATIONS = ("minmax", "percentile", "mse", AUTO)
NEEDS_CALIBRATION = frozenset({"int8", "int16x8"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of a recipe: a compression pass by name, and its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Steps in order; ``numerics`` None leaves the scheme to the target's recommendation.

    ``file`` is where the user wrote them, None for those that come along: equal recipes may stand in several files.
    """

    name: str = "none"
    steps: tuple[Step, ...] = ()
    numerics: str | None = None
    calibration: str = "minmax"
    seed: int = 0
    file: str | None = field(default=None, compare=False)

    def place(self, index: int, *more: str) -> Location:
        """Where a step stands, by its index; ``more`` narrows it."""
        return Location(file=self.file, detail=", ".join((f"recipe `{self.name}`, step {index + 1}", *more)))


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """How a float model becomes numbers on the device; equal schemes share one conversion.

    ``numerics``: int8 (full integer), int16x8 (activations int16, weights int8), float16
    (weights), dynamic (weights int8, activations float32), float32. ``io_dtype``: dtype of
    inputs and outputs (``int8``, ``uint8``, ``int16`` or ``float32``). ``per_tensor_dense``:
    one scale for a FULLY_CONNECTED's weights instead of one per output channel.
    """

    numerics: str
    io_dtype: str
    per_tensor_dense: bool = False
    calibration: str = "minmax"

    @property
    def label(self) -> str:
        """A short name, unique to the scheme and usable as a file name."""
        dense = "-ptdense" if self.per_tensor_dense else ""
        method = f"-{self.calibration}" if self.numerics in NEEDS_CALIBRATION else ""
        return f"{self.numerics}-{self.io_dtype}{dense}{method}"

    @property
    def title(self) -> str:
        """The scheme for people: ``int8, uint8 ends, minmax, per-tensor dense``."""
        parts = [self.numerics]
        if self.numerics in NEEDS_CALIBRATION:
            parts += [f"{self.io_dtype} ends", self.calibration]
        return ", ".join([*parts, "per-tensor dense"] if self.per_tensor_dense else parts)
