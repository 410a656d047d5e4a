"""Are the answers of ARM64 those of this machine? Equal where arithmetic is exact, within stated bounds elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.libs.affine import Port
from edgecompile.libs.litert import Outputs

Array = np.ndarray[Any, Any]

# Reference kernels on integers do the same operations in the same order everywhere.
EXACT = 0.0
# XNNPACK rounds alike on both: 0 was met on Cortex-A53 and A76 (LiteRT 2.1.6); newer instructions give 1. The older
# kernels of tflite-runtime 2.14 do not (21 steps on MobileNetV2), which is why LiteRT is asked first.
STEPS = 1.0
# Sums of floats in another order, with fused multiply-adds: 5e-6 of the largest output was met (MobileNetV2, untrained,
# reference kernels), 2e-7 on keyword spotting.
FLOAT_SHARE = 5e-5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One output: the largest difference, in ``unit`` (steps, or share of the largest value), and its bound."""

    name: str
    difference: float
    bound: float
    unit: str

    @property
    def holds(self) -> bool:
        """The difference is within the bound."""
        return self.difference <= self.bound

    def __str__(self) -> str:
        if self.difference == 0:
            return f"`{self.name}` equal"
        return f"`{self.name}` differs by {self.difference:.3g} {self.unit} (bound {self.bound:.3g})"


def compare(here: Outputs, there: Outputs, *, exact: bool) -> tuple[Compared, ...]:
    """Hold the outputs against each other; ``exact``: by reference kernels, and nothing but integers inside."""
    pairs = zip(here.outputs, here.arrays, there.arrays, strict=True)
    return tuple(_compare(port, a, b, exact) for port, a, b in pairs)


def _compare(port: Port, a: Array, b: Array, exact: bool) -> Compared:
    if port.dtype.startswith("float"):
        largest = float(np.max(np.abs(a), initial=0.0))
        difference = float(np.max(np.abs(a.astype(np.float64) - b), initial=0.0)) / (largest or 1.0)
        # NaN is where both are, or it is a difference.
        difference = (
            difference if not np.isnan(difference) else (0.0 if np.array_equal(a, b, equal_nan=True) else np.inf)
        )
        bound, unit = (EXACT if exact else FLOAT_SHARE), "of the largest value"
    else:
        difference = float(np.max(np.abs(a.astype(np.int64) - b.astype(np.int64)), initial=0))
        bound, unit = (EXACT if exact else STEPS), "steps"
    return Compared(name=port.name, difference=difference, bound=bound, unit=unit)


def differs(found: Sequence[Compared], here: Outputs, there: Outputs, name: str) -> EdgecompileError:
    """EC773; to be raised by the caller when some output is outside of its bound."""
    return rejected(
        "EC773",
        "the model gives other answers on ARM64 than here",
        Location(file=name),
        notes=(*(str(one) for one in found if not one.holds), f"here: {here.described}", f"there: {there.described}"),
        help=(
            "such a model is not safe to ship: find the operator by cutting the model, and replace it",
            "sparse models are known to be computed wrongly by LiteRT 1.4.0 and 2.0.3",
        ),
    )
