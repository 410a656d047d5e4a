"""Operators that only rename a shape: the output is the input's bytes, no code at all."""

from __future__ import annotations

from edgecompile.kernels.routine import Routine, Site

OPERATORS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def refuse(site: Site) -> str | None:
    """Why the operator is more than a new shape; None: it is not."""
    source = site.given(0)
    if source.is_constant:
        return "a constant input"
    return None if source.size_bytes == site.output.size_bytes else "sizes that differ"


def routine(site: Site) -> Routine:
    """No call."""
    return Routine(aliases=((site.operator.outputs[0], site.operator.inputs[0]),))
