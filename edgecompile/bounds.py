"""``check --fail-on partitions:3``: figures of a report that must not pass a bound, for continuous integration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.report import Measure, Report
from edgecompile.core.target import Target
from edgecompile.core.units import parse_size
from edgecompile.measure import prediction
from edgecompile.measure.board.energy import power_of

Bounds = Mapping[str, float]

# What is counted, planned and predicted of every model.
_ALWAYS = (
    *("model_bytes", "weights_bytes", "macs", "operators", "operators_on_cpu", "partitions"),
    *("arena_bytes", "flash_bytes", "ram_bytes"),
)
# Where the profile asks for a C library: what it takes, and the interpreter that it is compared with.
_C_LIBRARY = (
    *("instructions", "cycles", "latency_ms"),
    *("interpreter_arena_bytes", "interpreter_flash_bytes", "interpreter_ram_bytes"),
)
_PIPELINE = ("pipeline_interval_ms",)


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


def foresee(bounds: Bounds, targets: Sequence[Target], segments: int = 1) -> None:
    """Nothing to say of bounds on figures that a report for each of ``targets`` can have; no model is needed for that.

    Raises BadInputError EC753 for another name, what :func:`prediction.figures` raises for a profile.
    """
    for target in targets:
        names = figures(target, segments) if bounds else ()
        for name in bounds:
            if name not in names:
                raise _no_figure(name, target.id, names)


def figures(target: Target, segments: int = 1) -> tuple[str, ...]:
    """Names of all figures that a check for the target can give; which of them it does depends on the model."""
    library = _library_figures(target) if "c_library" in target.emit else ()
    pipeline = _PIPELINE if segments > 1 else ()
    return tuple(dict.fromkeys((*_ALWAYS, *library, *prediction.figures(target), *pipeline)))


def _library_figures(target: Target) -> tuple[str, ...]:
    return (*_C_LIBRARY, "energy_mj") if power_of(target.board) is not None else _C_LIBRARY


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
            raise _no_figure(name, report.target, [m.name for m in report.measures])
        if measure.value is None or measure.value > bound:
            found.append(_passed(report.target, measure, bound))
    if not found:
        return report
    return replace(report, status="rejected", diagnostics=(*report.diagnostics, *found))


def _no_figure(name: str, target: str, names: Sequence[str]) -> EdgecompileError:
    return bad_input(
        "EC753",
        f"the report for `{target}` has no figure `{name}`",
        notes=(f"figures: {', '.join(names)}",),
        help=did_you_mean(name, names) or ("correct the name",),
    )


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
