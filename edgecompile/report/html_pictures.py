"""The pictures of a report's page, each with what it shows; None where the report lacks what it would show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgecompile.core.report import Report
from edgecompile.core.units import counted, format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.libs.figures import BLUE, GREEN, VERMILION
from edgecompile.report import plots
from edgecompile.report.html_elements import Markup, element, together

_STORED = (
    ("weights_bytes", "weights in what was emitted"),
    ("model_bytes", "model file"),
    ("flash_bytes", "flash: code and constants"),
)
_MOST_OPERATORS = 24
_OF_C, _OF_FILE = "memory map of the C library", "memory map"


def memory(details: Mapping[str, Any]) -> Markup | None:
    """The arena over time, for a wide and for a narrow page."""
    as_file = "The arena, were the model interpreted" if _OF_C in details else "The arena"
    maps = ((_OF_C, "The arena of the C library"), (_OF_FILE, as_file))
    found = [(name, title) for name, title in maps if name in details and details[name]["steps"]]
    return together(_memory(details[name], title, number) for number, (name, title) in enumerate(found)) or None


def _memory(plan: Mapping[str, Any], title: str, number: int) -> Markup:
    told = (
        f"{title}: {format_size(plan['arena_bytes'])}. A box is a tensor: its bytes upwards, its life to the right. "
        "Boxes over one another share bytes. The bar on top marks the operator during which most is alive."
    )
    drawn = [
        element("div", Markup(plots.memory_map(f"memory-{number}-{kind}", title, plan, width)), class_=kind)
        for kind, width in (("wide", plots.WIDE), ("narrow", plots.NARROW))
    ]
    return element("figure", *drawn, element("figcaption", told))


def sizes(report: Report) -> Markup | None:
    """From the float model through each step of the recipe to what the device stores."""
    rows = _sizes(report)
    if len(rows) < 2:
        return None
    title = "Bytes from the float model to the device"
    told = together(
        [
            "What the weights take after each step, as this target stores them, then what the device takes.",
            _key(BLUE, "size"),
            _key(GREEN, "taken away", plots.FAINT),
            _key(VERMILION, "added"),
        ]
    )
    return element("div", _figure(plots.waterfall("sizes", title, rows), told), class_="plots")


def _sizes(report: Report) -> list[plots.Size]:
    details, rows = report.details, []
    if "float model" in details:
        rows.append(plots.Size(label="float model, 4 bytes a parameter", size_bytes=details["float model"]["bytes"]))
    for step in _steps(details):
        label = "weights, one byte each" if step["step"] == "as given" else step["step"]
        rows.append(plots.Size(label=label, size_bytes=step["stored_bytes"][report.target]))
    for name, label in _STORED:
        measure = report.measure(name)
        if measure is None or measure.value is None or _is_told(name, report):
            continue
        rows.append(plots.Size(label=label, size_bytes=int(measure.value)))
    return rows


def _is_told(name: str, report: Report) -> bool:
    """A file that stays behind, since the C library has its weights; flash that holds the file and no more."""
    model, flash = report.measure("model_bytes"), report.measure("flash_bytes")
    if name == "model_bytes":
        return _OF_C in report.details and flash is not None
    return name == "flash_bytes" and model is not None and flash is not None and model.value == flash.value


def histograms(details: Mapping[str, Any]) -> Markup | None:
    """The largest layers' weights after each step."""
    layers: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for step in _steps(details):
        for one in step.get("histograms", ()):
            layers.setdefault(one["layer"], []).append((_first_word(step["step"]), one))
    if not layers:
        return None
    drawn = [
        _figure(
            plots.ridges(f"weights-{number}", layer, steps),
            f"{short_name(layer)}, {counted(steps[-1][1]['weights'], 'weight')}",
        )
        for number, (layer, steps) in enumerate(layers.items())
    ]
    told = (
        "The stored integers of the layers with most weights: value to the right, how often upwards (the square root "
        "of it, so that a peak of zeros leaves the rest in sight)."
    )
    return together([element("p", told, class_="soft"), element("div", *drawn, class_="small-plots")])


def sensitivity(details: Mapping[str, Any]) -> Markup | None:
    """What each operator alone costs in integers, where a step measured it."""
    found = [(step["step"], step["sensitivity"]) for step in _steps(details) if step.get("sensitivity")]
    if not found:
        return None
    return element("div", *(_sensitivity(number, *one) for number, one in enumerate(found)), class_="plots")


def _sensitivity(number: int, step: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
    shown = [{**row, "name": short_name(row["name"])} for row in rows[:_MOST_OPERATORS]]
    told = f"Measured by {step}: one operator in integers, the others in float"
    told += f"; the first {len(shown)} of {len(rows)}" if len(shown) < len(rows) else ""
    return _figure(plots.sensitivity(f"sensitivity-{number}", f"Sensitivity, {step}", shown), told)


def confusion(details: Mapping[str, Any]) -> Markup | None:
    """Labels against answers, of the float model and of the artifact."""
    counts, labels = details.get("confusion") or {}, [str(label) for label in details.get("labels", ())]
    named = (("float", "Before: the float model"), ("artifact", "After: what was emitted"))
    drawn = [
        _figure(plots.confusion(f"confusion-{name}", title, counts[name], labels), _right(title, counts[name]))
        for name, title in named
        if name in counts
    ]
    return element("div", *drawn, class_="plots") if drawn else None


def _right(title: str, rows: Iterable[str]) -> str:
    counts = [[int(word) for word in row.split()] for row in rows]
    right, every = sum(row[i] for i, row in enumerate(counts)), sum(map(sum, counts))
    return f"{title}, {right} of {every} right"


def _figure(drawn: str, told: object) -> Markup:
    return element("figure", Markup(drawn), element("figcaption", told))


def _key(color: str, word: str, opacity: float = 1.0) -> Markup:
    box = element("span", class_="key", style=f"background: {color}; opacity: {opacity}")
    return together([element("span", box, word, class_="legend"), " "])


def _steps(details: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = (details.get("compression records") or {}).get("steps", ())
    return found


def _first_word(step: str) -> str:
    return step if step == "as given" else step.partition(" ")[0]
