"""What stands at the top of a report's page: verdict, bars, score, figures, messages."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.report import Measure, Report
from edgecompile.report import words
from edgecompile.report.html_elements import Markup, element, prose, together
from edgecompile.report.scores import score_lines

_BARS = (("flash_bytes", "Flash"), ("ram_bytes", "RAM"))
_SCORES = ("metric", "metric_float")
_SIGNS = {"verified": ("✓", "good"), "built": ("✓", "good")}


def subject(report: Report) -> str:
    """``digits on BOARD``: the model by the name of its file, where one was written or spoken of, and the target."""
    written = [artifact.path for artifact in report.artifacts if artifact.kind == "tflite"]
    spoken_of = [told.location.file or "" for told in report.diagnostics if told.location is not None]
    files = (name.rpartition("/")[2] for name in (*written, *spoken_of) if name.endswith(".tflite"))
    model = next(files, "").split(".")[0]
    return " on ".join(part for part in (model, report.target) if part)


def head(report: Report) -> Markup:
    """What was built, how it ended, and by what it was verified."""
    sign, tone = ("!", "warn") if words.nothing_maps(report) else _SIGNS.get(report.status, ("✗", "bad"))
    verification = str(report.details.get(words.VERIFICATION) or "")
    told = f"Verification {verification}" if verification.startswith("skipped") else verification.capitalize()
    return element(
        "header",
        element("h1", subject(report) or "edgecompile"),
        element("p", f"{sign} {words.verdict(report)}", class_=f"verdict {tone}"),
        element("p", told) if told else None,
    )


def bars(report: Report) -> Markup | None:
    """Flash and RAM against what the device has or the budget allows."""
    found = [
        (label, measure, words.tag_in(report, measure))
        for name, label in _BARS
        if (measure := report.measure(name)) and _has_bar(measure)
    ]
    return element("div", *(_bar(*one) for one in found), class_="bars") if found else None


def _has_bar(measure: Measure) -> bool:
    return measure.value is not None and bool(measure.limit)


def _bar(label: str, measure: Measure, tag: str) -> Markup:
    ratio = (measure.value or 0) / (measure.limit or 1)
    over = ratio > 1
    share = element("span", element("strong", label), f" {100 * ratio:.1f} %", ", over the limit" if over else None)
    how = element("span", f" · {tag}", class_="soft")
    size = element("span", figure(measure), " of ", words.size(measure.limit or 0), how)
    head = element("div", share, size, class_="bar-head")
    fill = element("div", class_="fill over" if over else "fill", style=f"width: {100 * min(ratio, 1):.2f}%")
    return element("div", head, element("div", fill, class_="track"))


def score(report: Report) -> Markup | None:
    """The artifact's score beside the float model's, in the words of the text."""
    lines = score_lines(report)
    if not lines:
        return None
    parts = [part.strip() for part in lines[0].split("   ") if part.strip()]
    numbers = (figure_or_none(report, name) for name in _SCORES)
    exact = together([" (exactly ", *_joined([number for number in numbers if number]), ")"])
    return element(
        "p", element("strong", parts[0]), " · ", " · ".join(parts[1:]), element("span", exact, class_="soft")
    )


def _joined(parts: list[Markup]) -> list[object]:
    return [word for index, part in enumerate(parts) for word in ((" and ", part) if index else (part,))]


def figure_or_none(report: Report, name: str) -> Markup | None:
    """The measure of that name as it is, without rounding."""
    measure = report.measure(name)
    if measure is None or measure.value is None:
        return None
    return element("data", f"{measure.value:.6g}", value=str(measure.value))


def tiles(report: Report) -> Markup | None:
    """Every other figure, with a word for how it was obtained."""
    drawn = {name for name, _ in _BARS if (measure := report.measure(name)) and _has_bar(measure)}
    shown = [measure for measure in report.measures if measure.name not in {*drawn, *_SCORES}]
    return element("div", *(_tile(one, words.tag_in(report, one)) for one in shown), class_="tiles") if shown else None


def _tile(measure: Measure, tag: str) -> Markup:
    kind = element("span", f"{words.limit(measure).strip()} {tag}", class_="soft")
    name = element("span", words.label(measure), class_="soft")
    return element("div", name, element("b", figure(measure)), kind, class_="tile")


def figure(measure: Measure) -> Markup:
    """The figure as people read it; the exact one goes along for machines and on hovering."""
    exact = str(measure.value) if measure.value is not None else ""
    return element("data", words.value(measure), value=exact, title=f"{exact} {measure.unit}: {measure.method}".strip())


def messages(report: Report) -> Markup | None:
    """Diagnostics, errors first, otherwise as they were said."""
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    said = sorted(report.diagnostics, key=lambda diagnostic: order.index(diagnostic.severity))
    return together(map(_message, said)) if said else None


def _message(diagnostic: Diagnostic) -> Markup:
    where = str(diagnostic.location) if diagnostic.location else ""
    facts = [element("li", prose(note)) for note in diagnostic.notes]
    facts += [element("li", element("strong", "help: "), prose(remedy)) for remedy in diagnostic.help]
    return element(
        "div",
        element(
            "p", element("strong", f"{diagnostic.severity.value} {diagnostic.code}"), ": ", prose(diagnostic.message)
        ),
        element("p", prose(where), class_="soft") if where else None,
        element("ul", *facts) if facts else None,
        class_=f"said {diagnostic.severity.value}",
    )
