"""A Report as one page that needs nothing beside itself: no network, no script; for a screen, a phone or paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any

from edgecompile.core.report import Report
from edgecompile.libs import figures
from edgecompile.report import html_details, html_pictures, html_summary, pareto, words
from edgecompile.report.html_elements import Markup, element, prose, together

# Details that a section of their own shows.
_SHOWN = frozenset(
    {
        words.VERIFICATION,
        "operators",
        "memory plan",
        "memory plan of the C library",
        "memory map",
        "memory map of the C library",
        "float model",
        "compression",
        "compression records",
        "sensitivity",
        "confusion",
        "labels",
        pareto.DETAIL,
        words.OBTAINED,
    }
)
_NO_PICTURES = "Pictures are left out: they need matplotlib (pip install matplotlib)."


def render(report: Report) -> str:
    """The page: the verdict first, then costs, messages, memory, sizes, operators, accuracy, and where it is all from.

    The same build gives the same bytes, with one version of matplotlib: durations are left out. Without matplotlib the
    page has no pictures, and says so.
    """
    details, pictures = report.details, _pictures(report)
    obtained = details.get(words.OBTAINED) or {}
    timed = details.get(words.TIMES) or ()
    body = [
        html_summary.head(report),
        html_summary.bars(report),
        html_summary.score(report),
        html_summary.tiles(report),
        _section("What the compiler has to say", html_summary.messages(report)),
        _section("The front of the search", pareto.section(details)),
        _section("Memory over time", pictures.get("memory")),
        _section("Where the bytes went", pictures.get("sizes")),
        _section("Operators", html_details.operators(details.get("operators") or (), timed), obtained.get("operators")),
        _section("Compression, step by step", html_details.compression(details), obtained.get("compression")),
        _section("Weights before and after each step", pictures.get("weights")),
        _section(
            "Sensitivity of operators",
            together([pictures.get("sensitivity"), html_details.any_detail(details.get("sensitivity"))]),
            obtained.get("sensitivity"),
        ),
        _section("Which class is taken for which", pictures.get("confusion")),
        None if pictures else element("p", _NO_PICTURES, class_="soft"),
    ]
    rest: Mapping[str, Any] = {name: value for name, value in details.items() if name not in _SHOWN}
    body += [_section(_titled(name), html_details.any_detail(rest[name]), obtained.get(name)) for name in rest]
    body.append(_section("Files", html_details.files(report)))
    body.append(_section("How the figures were obtained", html_details.methods(report)))
    body.append(_section("Made with", html_details.origin(report)))
    title = ": ".join(part for part in (html_summary.subject(report), words.verdict(report)) if part)
    return page(title, body)


def page(title: str, body: Sequence[Markup | None]) -> str:
    """Any body in the page's frame."""
    frame = (resources.files("edgecompile.templates") / "page" / "page.html.template").read_text(encoding="utf-8")
    return Template(frame).substitute(title=together([title]), body="\n".join(part for part in body if part))


def _pictures(report: Report) -> Mapping[str, Markup | None]:
    """What is drawn, by name; nothing without matplotlib."""
    if not figures.is_installed():
        return {}
    return {
        "memory": html_pictures.memory(report.details),
        "sizes": html_pictures.sizes(report),
        "weights": html_pictures.histograms(report.details),
        "sensitivity": html_pictures.sensitivity(report.details),
        "confusion": html_pictures.confusion(report.details),
    }


def _titled(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")


def _section(title: str, content: Markup | None, how: str | None = None) -> Markup | None:
    """``how``: the figures in it were obtained."""
    told = element("p", prose(how[:1].upper() + how[1:] + "."), class_="soft") if how else None
    return element("section", element("h2", title), told, content) if content else None
