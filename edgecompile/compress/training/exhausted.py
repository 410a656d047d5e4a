"""Training that asks for more memory than there is: where it was, what is kept, and what to do."""

from __future__ import annotations

from edgecompile.compress.training.options import Training
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.units import counted
from edgecompile.libs.keras import tensorflow

_LONGEST = 200
_SAYING = ("OOM", "memory", "allocat")


def exhausted() -> tuple[type[BaseException], ...]:
    """What Python and TensorFlow raise where there is no memory."""
    return (MemoryError, tensorflow().errors.ResourceExhaustedError)


def out_of_memory(how: Training, error: BaseException, *, step: str, epoch: int | None, kept: bool) -> EdgecompileError:
    """EC314, to be raised. So many epochs were through, None: it was before or behind all of them.

    ``kept``: there is a checkpoint of the last of them.
    """
    where = () if epoch is None else (f"in epoch {how.epoch(epoch + 1)}",)
    smaller = f"make batches smaller: `batch_size = {max(1, how.batch_size // 4)}`"
    if kept:
        note = f"kept: the state after epoch {how.before + (epoch or 0)}, from which the same command goes on"
        help = (f"{smaller}, which trains anew", "or free memory, and give the same command again")
    else:
        note, help = "kept: nothing to go on from", (smaller, "or free memory")
    return rejected(
        "EC314",
        f"training ran out of memory with batches of {counted(how.batch_size, 'sample')}",
        Location(detail=f"`{step}`") if step else None,
        notes=(*where, note, *_said(error)),
        help=help,
    )


def _said(error: BaseException) -> tuple[str, ...]:
    """The line that speaks of memory; TensorFlow puts a heading and a trace around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if any(word in line for word in _SAYING)), "the system gave no memory")
    return (told if len(told) <= _LONGEST else f"{told[: _LONGEST - 3]}...",)
