"""A Report for people: what the terminal shows at the end of a build and what `report.txt` holds.

The verdict comes first, then what the build costs on the device, how well the artifact does, where its operators
run, what the compiler had to say, the files, and how each figure was obtained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.folding import folded
from edgecompile.core.report import Report
from edgecompile.core.units import format_size, group
from edgecompile.report import words
from edgecompile.report.scores import score_lines
from edgecompile.report.table import WIDTH, bar, block, number, wrap

_BARS = (("flash_bytes", "Flash"), ("ram_bytes", "RAM"))
_SCORES = ("metric", "metric_float")
# Details for machines and for the page, which draws them; the text has a picture or a table of the same elsewhere.
_DRAWN = frozenset(
    {"operators", "memory map", "memory map of the C library", "compression records", "confusion", "labels", "search"}
    | {words.OBTAINED}
)
_PLAN_OF_C = "memory plan of the C library"
# What is told beside a C library's plan.
_INTERPRETED = {"memory plan": "memory plan, if interpreted"}
# Details that the terminal shows too.
_SHOWN = ("compiler status", "time by link", "pipeline", "reproducible")


def render(report: Report) -> str:
    """The whole report as plain text of about 80 columns, ending with a newline: what `report.txt` holds."""
    details = {name: value for name, value in report.details.items() if name not in {words.VERIFICATION, *_DRAWN}}
    if _PLAN_OF_C in details:
        details = {_INTERPRETED.get(name, name): value for name, value in details.items()}
    blocks = [[*_verdict(report), *_origin(report)], _bars(report), score_lines(report), _figures(report)]
    obtained = report.details.get(words.OBTAINED, {})
    blocks += [_detail(name, value, obtained.get(name, "")) for name, value in details.items()]
    blocks += [_folded(diagnostic) for diagnostic in report.diagnostics]
    blocks += [_artifacts(report), _methods(report)]
    return _joined(blocks)


def brief(report: Report) -> str:
    """What a terminal shows at the end: verdict, bars, score, figures with the kind of their method, diagnostics."""
    blocks = [_verdict(report), _bars(report, tagged=True), score_lines(report), _figures(report, tagged=True)]
    blocks += [_detail(name, report.details[name]) for name in _SHOWN if name in report.details]
    return _joined([*blocks, *(diagnostic.render().splitlines() for diagnostic in report.diagnostics)])


def _joined(blocks: list[list[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _verdict(report: Report) -> list[str]:
    head = ": ".join(part for part in (report.target, words.verdict(report)) if part)
    verification = str(report.details.get(words.VERIFICATION) or "")
    if verification.startswith("skipped"):
        verification = f"verification {verification}"
    return [head, *(wrap(verification, "    ", first="  ") if verification else [])]


def _origin(report: Report) -> list[str]:
    """Which model, by which recipe, with what."""
    versions = [f"{name} {version}" for name, version in report.versions.items()]
    model = f"  model sha256 {report.model_sha256[:12]}, recipe {words.recipe(report.recipe)}"
    return [*([model] if report.model_sha256 else []), *wrap(", ".join(versions), "  ")]


def _bars(report: Report, *, tagged: bool = False) -> list[str]:
    lines = []
    for name, label in _BARS:
        measure = report.measure(name)
        if measure is not None and measure.value is not None and measure.limit:
            ratio = measure.value / measure.limit
            share = f"{bar(ratio)} {100 * ratio:5.1f} %"
            size = _of(int(measure.value), int(measure.limit))
            tag = f"  {words.tag_in(report, measure)}" if tagged else ""
            lines.append(f"{label:<6} {share}  {size}{tag}{_over(ratio)}")
    return lines


def _of(value_bytes: int, limit_bytes: int) -> str:
    if limit_bytes < 1024:
        return f"{group(value_bytes)} of {group(limit_bytes)} B"
    if limit_bytes < 1024**2:
        return f"{value_bytes / 1024:7.1f} of {number(round(limit_bytes / 1024, 1))} KiB"
    limit = f"{number(round(limit_bytes / 1024**2, 2))} MiB"
    if value_bytes < 1024**2:
        return f"{value_bytes / 1024:7.1f} KiB of {limit}"
    return f"{value_bytes / 1024**2:7.2f} of {limit}"


def _over(ratio: float) -> str:
    return "  over the limit" if ratio > 1 else ""


def _figures(report: Report, *, tagged: bool = False) -> list[str]:
    """A line for each figure that no bar shows; ``tagged`` adds how it was obtained in a word."""
    drawn = {name for name, _ in _BARS if (m := report.measure(name)) and m.value is not None and m.limit}
    shown = [m for m in report.measures if m.name not in _SCORES and m.name not in drawn]
    width = max((len(words.label(m)) for m in shown), default=0)
    lines = [f"{words.label(measure):<{width}}  {words.value(measure)}{words.limit(measure)}" for measure in shown]
    if not tagged:
        return lines
    column = max((len(line) for line in lines), default=0)
    return [
        f"{line:<{column}}  {words.tag_in(report, measure)}".rstrip()
        for line, measure in zip(lines, shown, strict=True)
    ]


def _detail(name: str, value: Any, how: str = "") -> list[str]:
    """A table of records, a list of names and values, or a line, whatever the detail is; nothing for an empty one.

    ``how`` its figures were obtained, told below it.
    """
    head = name[:1].upper() + name[1:].replace("_", " ")
    if _is_lines(value):
        drawn = any("  " in line for line in value)
        return [head, *(line if drawn else folded(f"  {line}", WIDTH) for line in value)]
    if value is None or value == "" or (isinstance(value, Mapping | list | tuple) and not value):
        return []
    return [head, *(f"  {line}" for line in block(value)), *(wrap(how, "    ", first="  ") if how else [])]


def _is_lines(value: Any) -> bool:
    """A picture or a list that a stage drew."""
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, str) for entry in value)


def _folded(diagnostic: Diagnostic) -> list[str]:
    return [folded(line, WIDTH) for line in diagnostic.render().splitlines()]


def _artifacts(report: Report) -> list[str]:
    if not report.artifacts:
        return []
    width = max(len(artifact.path) for artifact in report.artifacts)
    lines = [f"  {a.path:<{width}}  {format_size(a.size_bytes):>10}  {a.kind}" for a in report.artifacts]
    return ["Files", *lines]


def _methods(report: Report) -> list[str]:
    """Each way a figure was obtained, with the figures it holds for."""
    by_method: dict[str, list[str]] = {}
    for measure in report.measures:
        by_method.setdefault(measure.method, []).append(words.label(measure))
    lines: list[str] = []
    for method, names in by_method.items():
        lines += wrap(f"{', '.join(names)}: {method}", "    ", first="  ")
    return ["How the figures were obtained", *lines] if lines else []
