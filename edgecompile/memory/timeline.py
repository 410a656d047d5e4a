"""The arena over time as a text picture: operators downwards, addresses to the right."""

from __future__ import annotations

from typing import Any

from edgecompile.core.units import format_size
from edgecompile.ir.spelling import printable
from edgecompile.memory.arena import Allocation, MemoryPlan

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NAME_WIDTH = 20
_SIZE_WIDTH = 10
ROWS = 40


def draw(plan: MemoryPlan, width: int = 80, rows: int = ROWS) -> list[str]:
    """Lines of at most ``width`` characters (60 or more), one for each operator.

    A letter stands for a tensor, a dot for free bytes; the bytes alive stand at the end of the line and ``<`` marks
    the peak. When there are more operators than ``rows``, the ones with the most bytes
    alive are drawn and the others counted.
    """
    if not plan.steps or not plan.arena_bytes:
        return ["nothing to place: no runtime tensor has a size"]
    chosen = _chosen(plan, rows)
    columns = max(width, 60) - _NAME_WIDTH - _SIZE_WIDTH - 12
    lines = [_heading(plan, columns)]
    previous = -1
    for step in chosen:
        if step > previous + 1:
            lines.append(_gap(step - previous - 1))
        lines.append(_row(plan, step, columns))
        previous = step
    if previous < len(plan.steps) - 1:
        lines.append(_gap(len(plan.steps) - 1 - previous))
    return lines


def table(plan: MemoryPlan) -> dict[str, Any]:
    """The plan as plain JSON types: which bytes belong to whom, from which step to which, both included."""
    return {
        "arena_bytes": plan.arena_bytes,
        "peak_step": plan.peak_step,
        "steps": [step.label for step in plan.steps],
        "tensors": [
            {"name": printable(a.name), "first": a.first, "last": a.last, "offset": a.offset, "bytes": a.size_bytes}
            for a in plan.allocations
        ],
    }


def _chosen(plan: MemoryPlan, rows: int) -> list[int]:
    """The steps to draw: all, or those with the most bytes alive, in order of time."""
    steps = range(len(plan.steps))
    return sorted(sorted(steps, key=lambda step: (-plan.live_bytes(step), step))[:rows])


def _heading(plan: MemoryPlan, columns: int) -> str:
    scale = f"0 {format_size(plan.arena_bytes):>{columns - 2}}"
    return f"{'operator':<{_NAME_WIDTH + 6}}  {scale}  {'alive':>{_SIZE_WIDTH}}"


def _gap(count: int) -> str:
    return f"{'':>4}  ({count} operator{'s' if count > 1 else ''} with less)"


def _row(plan: MemoryPlan, step: int, columns: int) -> str:
    label = plan.steps[step].label
    name = label if len(label) <= _NAME_WIDTH else label[: _NAME_WIDTH - 1] + "~"
    picture = _picture(plan, plan.live(step), columns)
    mark = " <" if step == plan.peak_step else ""
    size = format_size(plan.live_bytes(step))
    return f"{step:>4}  {name:<{_NAME_WIDTH}} |{picture}| {size:>{_SIZE_WIDTH}}{mark}"


def _picture(plan: MemoryPlan, alive: tuple[Allocation, ...], columns: int) -> str:
    """Largest first, so that a small tensor is seen where it shares its one character with a large one."""
    cells = ["."] * columns
    for allocation in alive:
        begin = allocation.offset * columns // plan.arena_bytes
        end = max(begin + 1, (allocation.offset + allocation.size_bytes) * columns // plan.arena_bytes)
        letter = _LETTERS[plan.allocations.index(allocation) % len(_LETTERS)]
        cells[begin:end] = letter * (end - begin)
    return "".join(cells)
