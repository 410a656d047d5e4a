"""Zeros that become more while training goes on, by the size that weights have at the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.oneshot.allocate import rates
from edgecompile.compress.oneshot.masks import lowest
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.subject import Held

Array = np.ndarray[Any, Any]
# Masks change so often between begin and end.
_CHANGES = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Gradual:
    """Zhu and Gupta, "To prune, or not to prune", 2017, eq. 1, from no zeros: s_t = s (1 - (1 - t)³), t from 0 to 1.

    ``held``: by site key, the zeros that are there from the start. ``begin`` and ``end`` are shares of all steps.
    """

    held: Mapping[str, Held]
    sparsity: float
    pattern: str
    allocation: str
    most: float
    begin: float
    end: float

    @property
    def identity(self) -> str:
        """Text that tells this course from any other."""
        return (
            f"{sorted(self.held)} {self.sparsity} {self.pattern} {self.allocation} {self.most} {self.begin} {self.end}"
        )

    def adjust(self, step: int, steps: int, simulation: Simulation) -> bool:
        """Set the zeros of a step; whether they are all there by then."""
        first, last = self.begin * steps, self.end * steps
        passed = min(max((step - first) / max(last - first, 1.0), 0.0), 1.0)
        every = max(1, int((last - first) / _CHANGES))
        if step == 0 or (passed < 1.0 and step >= first and step % every == 0) or last <= step < last + 1:
            for key, zeros in self.masks(simulation, 1.0 - (1.0 - passed) ** 3).items():
                simulation.set_zeros(key, zeros)
        return step >= last

    def masks(self, simulation: Simulation, share: float) -> dict[str, Array]:
        """The zeros of each tensor when ``share`` of all zeros to come are there."""
        scores = {key: np.square(simulation.effective(key).numpy().astype(np.float64)) for key in self.held}
        of_layers = rates(scores, share * self.sparsity, self.pattern, self.allocation, self.most)
        found = {}
        for key, array in scores.items():
            zeros = lowest(array, self.pattern, of_layers[key])
            if self.pattern == "2:4" and share < 1.0:
                # Of the two in four that are to go, the smaller ones of the tensor first.
                limit = np.quantile(array[zeros], share) if zeros.any() else 0.0
                zeros &= array <= limit
            before = self.held[key].zeros
            found[key] = zeros if before is None else zeros | before
        return found
