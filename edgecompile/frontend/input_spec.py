"""What a model takes and gives, told in a module of its own so that nothing heavy comes along."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """One input or output. ``shape`` begins with the batch size (None: any); ``dtype`` is a NumPy name."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
