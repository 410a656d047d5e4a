"""What the target's own compiler will say about a job, and what its device will do with it: before there is either."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.core.artifact import describe
from edgecompile.core.diagnostic import Location
from edgecompile.core.report import Measure
from edgecompile.core.units import format_size
from edgecompile.ir import writer
from edgecompile.ir.segment import segments
from edgecompile.job import Job, Neighbour
from edgecompile.legalize.check import Placed
from edgecompile.legalize.naming import ranges
from edgecompile.legalize.whole import refusal_of_whole
from edgecompile.measure.prediction import Prediction, cut, predict
from edgecompile.report.table import wrap


def forecast(job: Job) -> None:
    """Add statuses, memory and time to the report, where the profile tells how; then the cuts of a pipeline.

    Raises BadInputError EC550, EC551 for a profile that is not complete, EC556 for segments that cannot be had.
    """
    assert job.network is not None and job.verdict is not None
    placements = [placed for placed in job.verdict.placements if placed.subgraph == 0]
    running = tuple(p.operator for p in placements if p.where == job.target.placement.accelerator)
    own = Neighbour(job.name, job.network, running)
    predictions = predict([(one.network, one.operators) for one in (*job.neighbours, own)], job.target)
    if job.target.statuses is not None:
        job.details["compiler status"] = _status_lines(placements)
        job.diagnostics += refusal_of_whole(job.network, job.target, f"{job.name}.tflite")
    if predictions:
        _add(job, placements, predictions[-1])
        if job.neighbours:
            job.details["shares the device"] = _sharing(len(job.neighbours))
        job.neighbours.append(own)
    if job.project.segments != 1:
        _pipeline(job, running)


def write_segments(job: Job, folder: Path) -> None:
    """One .tflite for each device of a pipeline, beside the whole model; nothing without a pipeline."""
    cuts = job.details.get("pipeline cuts")
    if not cuts:
        return
    assert job.network is not None
    count = len(cuts) + 1
    for number, part in enumerate(segments(job.network, cuts), 1):
        name = f"{job.name}_segment_{number}_of_{count}.tflite"
        (folder / name).write_bytes(writer.write(part))
        job.artifacts.append(describe(folder, name, "tflite"))


def _add(job: Job, placements: list[Placed], prediction: Prediction) -> None:
    job.measures += prediction.measures
    file = Location(file=f"{job.name}.tflite")
    job.diagnostics += [
        replace(d, location=replace(d.location, file=file.file) if d.location else file) for d in prediction.diagnostics
    ]
    job.details |= prediction.details
    for name, how in prediction.obtained.items():
        job.obtained(name, how)
    if prediction.layers:
        job.details["layers"] = [_layer(placed, prediction) for placed in placements]
        job.obtained("layers", _OF_LAYERS)


_OF_LAYERS = (
    "predicted by the model of the device: bytes of parameters cached on the chip and streamed to it, and the time; "
    "`known` says how the rule is that decided where the operator runs"
)


def _layer(placed: Placed, prediction: Prediction) -> dict[str, Any]:
    """One row; the words of the compiler are in the table of statuses, here stands our reason."""
    found = prediction.layers.get(placed.operator, {})
    return {
        "#": placed.operator,
        "operator": placed.name,
        "on": placed.where,
        "cached": found.get("cached"),
        "streamed": found.get("streamed"),
        "ms": found.get("ms"),
        "known": placed.basis,
    }


def _status_lines(placements: list[Placed]) -> list[str]:
    """The compiler's log; below each status that is not the best our reason, and the operators it holds for."""
    counted = Counter((placed.name, placed.status) for placed in placements)
    width = max((len(name) for name, _ in counted), default=0)
    lines = []
    for (name, status), count in counted.items():
        head = f"  {name:<{width}}  {count:>3}  "
        lines += wrap(status, " " * len(head), first=head)
        reasons: dict[str, list[int]] = {}
        for placed in placements:
            if (placed.name, placed.status) == (name, status) and placed.reason:
                reasons.setdefault(placed.reason, []).append(placed.operator)
        for reason, which in reasons.items():
            told = f"{reason} (operator{'s' if len(which) > 1 else ''} {ranges(which)})"
            lines += wrap(told, " " * (len(head) + 4), first=" " * len(head) + "  - ")
    return lines


def _pipeline(job: Job, running: tuple[int, ...]) -> None:
    assert job.network is not None and job.verdict is not None
    cuts = cut(job.network, running, job.project.segments, job.target)
    where = {p.operator: p.where for p in job.verdict.placements if p.subgraph == 0}
    rows, start = [], 0
    for number, part in enumerate(segments(job.network, cuts), 1):
        count = len(part.main.operators)
        mine = [i for i in range(count) if where[start + i] == job.target.placement.accelerator]
        found = {m.name: m for m in predict([(part, mine)], job.target)[0].measures}
        rows.append({"segment": number, "operators": f"{start} to {start + count - 1}", **_figures(found)})
        start += count
    job.details["pipeline cuts"] = list(cuts)
    job.details["pipeline"] = rows
    slowest = max(float(row["ms"]) for row in rows)
    method = (
        f"predicted: the slowest of {len(rows)} segments, one a device; {found['latency_ms'].method.partition(': ')[2]}"
    )
    job.count("pipeline_interval_ms", slowest, "ms", method)


def _figures(found: dict[str, Measure]) -> dict[str, Any]:
    return {
        "cached": format_size(int(found["cached_bytes"].value or 0)),
        "streamed": format_size(int(found["streamed_bytes"].value or 0)),
        "ms": found["latency_ms"].value,
    }


def _sharing(count: int) -> str:
    return f"with {count} model{'s' if count > 1 else ''} named before, which had the first choice of the cache"
