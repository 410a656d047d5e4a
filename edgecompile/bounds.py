"""``check --fail-on partitions:3``: figures of a report that must not pass a bound, for continuous integration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.report import Measure, Report
from edgecompile.core.units import parse_size

Bounds = Mapping[str, float]


def parse_bounds(words: Sequence[str]) -> dict[str, float]:
    """``NAME:N`` as name and bound; N is a number or a size (``64 KiB``).

    Raises BadInputError EC754 for what is not of this form.
    """
    found = {}
    for word in words:
        name, colon, text = word.rpartition(":")
        value = _number(text)
        if not colon or not name or value is None:
            raise bad_input(
                "EC754",
                f"`--fail-on {word}` does not say what must not pass which number",
                notes=("it is NAME:N, the name of a figure of the report and the largest value that passes",),
                help=("for example `--fail-on partitions:3`, `--fail-on operators_on_cpu:0`",),
            )
        found[name.strip()] = value
    return found


def hold(report: Report, bounds: Bounds) -> Report:
    """The report, rejected where a figure is larger than its bound (EC752) or could not be had (EC752 too).

    Raises BadInputError EC753 for a figure that the report does not have. A report that ended early, rejected already,
    is returned as it is.
    """
    if report.status not in ("built", "verified"):
        return report
    found = []
    for name, bound in bounds.items():
        measure = report.measure(name)
        if measure is None:
            raise bad_input(
                "EC753",
                f"the report for `{report.target}` has no figure `{name}`",
                notes=(f"figures: {', '.join(m.name for m in report.measures)}",),
                help=did_you_mean(name, (m.name for m in report.measures)) or ("correct the name",),
            )
        if measure.value is None or measure.value > bound:
            found.append(_passed(report.target, measure, bound))
    if not found:
        return report
    return replace(report, status="rejected", diagnostics=(*report.diagnostics, *found))


def _passed(target: str, measure: Measure, bound: float) -> Diagnostic:
    unit = "" if measure.unit == "count" else f" {measure.unit}"
    value = "not available" if measure.value is None else f"{measure.value:g}{unit}"
    return Diagnostic(
        code="EC752",
        message=f"`{measure.name}` of `{target}` is larger than `--fail-on` allows",
        notes=(f"limit: {bound:g}{unit}", f"found: {value}", f"method: {measure.method}"),
        help=("the warnings of the report say where it comes from, or allow more",),
    )


def _number(text: str) -> float | None:
    try:
        return float(text) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        return float(parse_size(text.strip()))
    except ValueError:
        return None
