"""The line that compares the artifact's task score with the float model's."""

from __future__ import annotations

from edgecompile.core.report import Measure, Report
from edgecompile.report.table import number
from edgecompile.report.words import SHARES


def score_lines(report: Report) -> list[str]:
    """``Top-1  91.8 %   float 92.4 %   -0.6 points (limit 91.4 %)``; empty where nothing was scored.

    The limit is the worst score that would have been accepted, as the measure carries it.
    """
    measure, reference = report.measure("metric"), report.measure("metric_float")
    if measure is None or measure.value is None:
        return []
    parts = [f"{SHARES.get(measure.unit, measure.unit):<6} {_score(measure, measure.value)}"]
    if reference is not None and reference.value is not None:
        parts += [f"float {_score(measure, reference.value)}", _difference(measure, measure.value - reference.value)]
    # A share cannot fall below 0: such a limit, which trials of a search have, is none.
    free = measure.limit is None or (measure.unit in SHARES and measure.limit < 0)
    limit = "" if measure.limit is None or free else f" (limit {_score(measure, measure.limit)})"
    return ["   ".join(parts) + limit]


def _score(measure: Measure, value: float) -> str:
    return f"{100 * value:.1f} %" if measure.unit in SHARES else number(float(value))


def _difference(measure: Measure, difference: float) -> str:
    return f"{100 * difference:+.1f} points" if measure.unit in SHARES else f"{difference:+.4g}"
