"""What a job's C library will take on its board, before it ran there: instructions, cycles, milliseconds, energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from edgecompile.core.report import Measure
from edgecompile.core.units import format_size
from edgecompile.job import Job
from edgecompile.measure.board import cycles, instructions
from edgecompile.measure.board.cycles import Timing
from edgecompile.measure.board.energy import power_of
from edgecompile.measure.board.instructions import Instructions

_LAYERS = "time of the C library"


def forecast(job: Job) -> None:
    """Add predicted instructions, and what they take on the board; nothing without a program, or for another core."""
    if job.program is None:
        return
    found = instructions.predict(job.program, str(job.target.board.get("core", "")))
    if found is None:
        return
    job.count("instructions", found.count, "count", f"predicted: {found.basis}, one inference")
    _tell(job, found, 1.0, f"instructions predicted {found.basis}")


def counted(job: Job, count: int, method: str) -> None:
    """Put counted instructions, and the time that they take, in place of what was predicted."""
    put(job, Measure(name="instructions", value=count, unit="count", method=method))
    assert job.program is not None
    found = instructions.predict(job.program, str(job.target.board.get("core", "")))
    if found is not None and found.count:
        _tell(job, found, count / found.count, "instructions counted")


def put(job: Job, new: Measure) -> None:
    """Add a measure in place of the one of the same name."""
    for index, old in enumerate(job.measures):
        if old.name == new.name:
            job.measures[index] = dataclasses.replace(new, limit=new.limit or old.limit)
            return
    job.measures.append(new)


def _tell(job: Job, found: Instructions, factor: float, basis: str) -> None:
    """Cycles, or milliseconds where the board has a clock; ``factor``: of the instructions that are predicted."""
    timing = cycles.timing_of(job.target.board)
    if timing is None or job.program is None:
        return
    scaled = {index: count * factor for index, count in found.by_operator.items()}
    by_operator = cycles.cycles_of(job.program, scaled, timing)
    total = sum(by_operator.values())
    method = f"predicted: {_method(timing, job.target.board)}; {basis}"
    if timing.clock_hz is None:
        put(job, Measure(name="cycles", value=round(total), unit="count", method=method))
    else:
        value = round(1e3 * total / timing.clock_hz, 3)
        put(
            job,
            Measure(name="latency_ms", value=value, unit="ms", method=f"{method}; at {timing.clock_hz / 1e6:g} MHz"),
        )
        _tell_energy(job, value)
    job.details[_LAYERS] = _rows(job, scaled, by_operator, timing)


def _tell_energy(job: Job, duration_ms: float) -> None:
    power = power_of(job.target.board)
    if power is not None:
        value = round(power.energy_mj(duration_ms), 4)
        put(job, Measure(name="energy_mj", value=value, unit="mJ", method=power.method))


def _method(timing: Timing, board: Mapping[str, Any]) -> str:
    words = [f"{timing.cycles_per_instruction:g} cycles an instruction"]
    if timing.error_ratio is None:
        words.append("no board with this core was measured to check it")
    else:
        words.append(f"leave-one-out error {100 * timing.error_ratio:.0f} % over measured boards")
    source = board.get("timing", {}).get("source")
    if source:
        words.append(str(source))
    if not timing.knows_flash:
        words.append("wait states of the flash not known: as if it kept up")
    else:
        cache = format_size(timing.data_cache_bytes) if timing.data_cache_bytes else "no"
        words.append(f"flash of {timing.wait_states} wait states, {timing.line_bytes} bytes a read, {cache} data cache")
    return "; ".join(words)


def _rows(
    job: Job, counts: Mapping[int, float], by_operator: Mapping[int, float], timing: Timing
) -> list[dict[str, Any]]:
    assert job.program is not None
    graph = job.program.subgraph
    rows = []
    for index, spent in by_operator.items():
        waits = spent > timing.cycles_per_instruction * counts[index]
        row: dict[str, Any] = {
            "#": index,
            "operator": graph.operators[index].label,
            "instructions": round(counts[index]),
            "cycles": round(spent),
            "slowed by": "flash" if waits else "",
        }
        if timing.clock_hz is not None:
            row["ms"] = round(1e3 * spent / timing.clock_hz, 3)
        rows.append(row)
    return rows
