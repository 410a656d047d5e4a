"""How diagnostics name an operator: its layer, its types, and many of them in a short list."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.ir.layer_names import short_name
from edgecompile.legalize.context import Context

LISTED = 12


def layer_of(context: Context) -> str:
    """The Keras layer that the operator's first output is named after, or the tensor's name."""
    return short_name(context.outputs[0].name) if context.outputs else ""


def signature(context: Context) -> str:
    """Types and shapes, ``int8[1, 32, 32, 64] -> int8[1, 64, 64, 64]``: what is read at run time, and written."""
    written = [str(tensor) for tensor in context.outputs]
    read = [str(tensor) for tensor in context.activations[: len(context.activations) - len(written)]]
    return f"{', '.join(read) or 'constants'} -> {', '.join(written) or 'nothing'}"


def ranges(indices: Sequence[int]) -> str:
    """Indices in a short list, ``3, 7, 12 to 15``; what is beyond a dozen entries is counted."""
    runs: list[list[int]] = []
    for index in sorted(indices):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    words = [_run(run) for run in runs]
    more = sum(len(run) for run in runs[LISTED:])
    return ", ".join(words[:LISTED]) + (f" and {more} more" if more else "")


def _run(run: Sequence[int]) -> str:
    return f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run))
