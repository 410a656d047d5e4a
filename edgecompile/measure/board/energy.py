"""How much energy an inference takes on a board: its time, by the power that the board takes while it computes.

    energy = time · active power

The power is in the profile's ``[board.energy]``; it hardly depends on the model (``scripts/bench energy`` holds it
against measured boards), so that the energy is as sure as the predicted time and the power together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Power:
    """What a profile says of power. ``error_ratio`` None: nobody knows how far it is off."""

    active_mw: float
    error_ratio: float | None
    source: str

    def energy_mj(self, duration_ms: float) -> float:
        """Of an inference that takes so long."""
        return self.active_mw * duration_ms / 1e3

    @property
    def method(self) -> str:
        """How an energy is obtained, for a report."""
        known = f"leave-one-out error {100 * self.error_ratio:.0f} %" if self.error_ratio is not None else "not checked"
        return f"predicted: {self.active_mw:g} mW while it computes ({known}; {self.source}) by the predicted latency"


def power_of(board: Mapping[str, Any]) -> Power | None:
    """Of a profile's ``[board]``; None where it states no power, or its clock is emulated."""
    found = board.get("energy")
    if found is None or board.get("emulated"):
        return None
    error = found.get("error")
    return Power(
        active_mw=float(found["active_mw"]),
        error_ratio=float(error) if error is not None else None,
        source=str(found["source"]),
    )
