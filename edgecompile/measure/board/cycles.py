"""How long a C library takes on a board: what it executes, or what its flash lets through, whichever is slower.

    cycles = Σ operators max(CPI · instructions, streamed · (wait states + 1) / bytes of a line)

``CPI``: cycles per instruction, of the core. ``streamed``: bytes of weights that come from flash, line by line; a layer
whose weights stay in a data cache streams them once, another once for each pass over them. What a board states is in
its profile's ``[board]``: ``clock_hz``, ``[board.timing]`` of the core, ``[board.flash]`` of the chip.
``scripts/bench cortexm_latency`` holds the model against boards that were measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgecompile.kernels.program import Program
from edgecompile.kernels.routine import Call

# Pixels that one pass over the weights serves, where a call does not say.
_PIXELS = 4


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What a profile says of time. ``error_ratio`` None: nothing was measured to hold the core against.

    ``wait_states`` and ``line_bytes``: of the flash at ``clock_hz``; 0 wait states where nobody stated them.
    """

    clock_hz: int | None
    cycles_per_instruction: float
    error_ratio: float | None
    wait_states: int
    line_bytes: int
    data_cache_bytes: int
    knows_flash: bool


def timing_of(board: Mapping[str, Any]) -> Timing | None:
    """Of a profile's ``[board]``; None where it states no cycles per instruction, or its clock is emulated."""
    core, flash = board.get("timing"), board.get("flash", {})
    if core is None or board.get("emulated"):
        return None
    clock = board.get("clock_hz")
    error = core.get("error")
    return Timing(
        clock_hz=int(clock) if clock else None,
        cycles_per_instruction=float(core["cycles_per_instruction"]),
        error_ratio=float(error) if error is not None else None,
        wait_states=int(flash.get("wait_states", 0)),
        line_bytes=int(flash.get("line_bytes", 1)),
        data_cache_bytes=int(flash.get("data_cache_bytes", 0)),
        knows_flash="wait_states" in flash,
    )


def cycles_of(program: Program, by_operator: Mapping[int, float], timing: Timing) -> dict[int, float]:
    """Of one inference, by operator, from the instructions of each."""
    return {
        index: bound(timing, count, sum(_streamed(call, timing) for call in program.routines[index].calls))
        for index, count in by_operator.items()
    }


def bound(timing: Timing, instructions: float, streamed_bytes: float) -> float:
    """Cycles: the slower of executing and of reading."""
    lines = streamed_bytes / timing.line_bytes
    waiting = lines * (timing.wait_states + 1) if timing.knows_flash else 0.0
    return max(timing.cycles_per_instruction * instructions, waiting)


def _streamed(call: Call, timing: Timing) -> int:
    size = sum(array.nbytes for name, array in call.constants.items() if name in ("weights", "map", "values"))
    return size if size <= timing.data_cache_bytes else size * _passes(call)


def _passes(call: Call) -> int:
    """How often a kernel reads all of its weights; depthwise ones hold those of a channel in registers."""
    settings = call.settings
    if "depthwise" in call.kernel:
        return 1
    if "out_h" in settings and "out_w" in settings:
        pixels = int(settings.get("batches", 1)) * int(settings["out_h"]) * int(settings["out_w"])
    elif "pixels" in settings:
        pixels = int(settings["pixels"])
    else:
        return int(settings.get("batches", 1))
    return -(-pixels // (_PIXELS * int(settings.get("at_once", 1))))
