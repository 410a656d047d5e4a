"""An input or output of a model that is not a network yet."""

from __future__ import annotations

from typing import Protocol


class Port(Protocol):
    """What data, samples and labels are held against; ``shape`` opens with the batch (None)."""

    @property
    def name(self) -> str:
        """The name in the model."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Sizes, samples first; None where any size will do."""

    @property
    def dtype(self) -> str:
        """A NumPy name, or ``string``."""
