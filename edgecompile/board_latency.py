"""What a job's C library will take on its board, before it ran there: instructions, cycles, milliseconds, energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from edgecompile.core.report import Measure
from edgecompile.core.units import format_size
from edgecompile.ir.layer_names import short_name_at
from edgecompile.job import Job
from edgecompile.measure.board import cycles, instructions, laps
from edgecompile.measure.board.cycles import Timing
from edgecompile.measure.board.energy import power_of

_LAYERS = "time of the C library"


def forecast(job: Job) -> None:
    """Add predicted instructions, and what they take on the board; nothing without a program, or for another core."""
    if job.program is None:
        return
    found = instructions.predict(job.program, str(job.target.board.get("core", "")))
    if found is None:
        return
    job.count("instructions", found.count, "count", f"predicted: {found.basis}, one inference")
    _tell(job, found.by_operator, f"instructions predicted {found.basis}", f"predicted: {found.basis}")


def counted(job: Job, count: int, method: str, by_operator: Mapping[int, int]) -> None:
    """Put counted instructions, and the time that they take, in place of what was predicted.

    Where those of each operator could not be counted they are the predicted ones, each by the same factor to the
    counted whole.
    """
    put(job, Measure(name="instructions", value=count, unit="count", method=method))
    assert job.program is not None
    if by_operator:
        working = {index: spent for index, spent in by_operator.items() if job.program.routines[index].calls}
        _tell(job, working, "instructions counted", f"{method}, {laps.METHOD}")
        return
    found = instructions.predict(job.program, str(job.target.board.get("core", "")))
    if found is not None and found.count:
        scaled = {index: share * count / found.count for index, share in found.by_operator.items()}
        how = "predicted by operator, each times one factor so that they sum up to the count of the whole"
        _tell(job, scaled, "instructions counted", how)


def put(job: Job, new: Measure) -> None:
    """Add a measure in place of the one of the same name."""
    for index, old in enumerate(job.measures):
        if old.name == new.name:
            job.measures[index] = dataclasses.replace(new, limit=new.limit or old.limit)
            return
    job.measures.append(new)


def _tell(job: Job, counts: Mapping[int, float], basis: str, how: str) -> None:
    """Cycles, or milliseconds where the board has a clock; ``how``: the instructions of each operator were obtained."""
    timing = cycles.timing_of(job.target.board)
    if timing is None or job.program is None:
        return
    by_operator = cycles.cycles_of(job.program, counts, timing)
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
    job.details[_LAYERS] = _rows(job, counts, by_operator, timing)
    spent = "cycles are predicted as those of the whole are"
    if timing.clock_hz is not None:
        spent = "cycles and ms are predicted as the latency of the whole is"
    job.obtained(_LAYERS, f"instructions: {how}; {spent}")


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
            "layer": short_name_at(graph, index),
            "instructions": round(counts[index]),
            "cycles": round(spent),
            "slowed by": "flash" if waits else "",
        }
        if timing.clock_hz is not None:
            row["ms"] = round(1e3 * spent / timing.clock_hz, 3)
        rows.append(row)
    return rows
