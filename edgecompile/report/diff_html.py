"""A difference as one page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Iterator

from edgecompile.core.units import format_size
from edgecompile.report import html, words
from edgecompile.report.diff import DENSE, Change, Difference, placements
from edgecompile.report.diff_text import OTHER_VALUES, changed, cost, obtained, shown
from edgecompile.report.html_elements import Markup, element, table
from edgecompile.report.table import number

_BYTES = ("weights_bytes", "output_bytes")
_HEADS = (
    "#", "operator", "layer", "output", "runs on", "stored as", "values", "MACs", "weights", "output bytes",
    "instructions",
)  # fmt: skip
_KEYS = (
    "index", "operator", "layer", "type", "where", "form", "weights_sha256", "macs", "weights_bytes", "output_bytes",
    "instructions",
)  # fmt: skip


def render(difference: Difference) -> str:
    """The page: what differs first, then every figure and operator side by side."""
    a, b = difference.a, difference.b
    title = f"{a.name} and {b.name}"
    same = "no difference in what was compared" if difference.is_empty else ""
    figures = [
        [words.name_of(one.name), shown(one, one.a), shown(one, one.b), changed(one), obtained(one)]
        for one in difference.figures
    ]
    body = [
        element(
            "header",
            element("h1", title),
            element("p", "A is ", element("code", a.name), ", B is ", element("code", b.name)),
            element("p", same, class_="verdict good") if same else None,
        ),
        _section("What is not the same", table(("", "A", "B"), difference.facts)) if difference.facts else None,
        _section("Figures", table(("figure", "A", "B", "B less A", "obtained"), figures, numbers=(1, 2, 3))),
        _sensitivity(difference),
        _section("Operators", element("p", _placed(difference)), _operators(difference)),
    ]
    return html.page(title, body)


def _section(title: str, *content: Markup) -> Markup:
    return element("section", element("h2", title), *content)


def _sensitivity(difference: Difference) -> Markup | None:
    rows = [
        [one.operator, one.layer, *(cost(side, key) for side in (one.a, one.b) for key in ("output error", "drop"))]
        for one in difference.sensitivities
    ]
    told = "What each operator alone, in integers, moves the outputs by and takes from the score; all others in float."
    heads = ("operator", "layer", "A: outputs", "A: drop", "B: outputs", "B: drop")
    return _section("Sensitivity", element("p", told), table(heads, rows, numbers=(2, 3, 4, 5))) if rows else None


def _placed(difference: Difference) -> str:
    sides = (("A", difference.a), ("B", difference.b))
    return ". ".join(f"{name}: {placements(side)}" for name, side in sides if placements(side))


def _operators(difference: Difference) -> Markup:
    rows = [[_cell(change, key) for key in _KEYS] for change in difference.operators]
    return table(_HEADS, rows, numbers=(7, 8, 9, 10))


def _cell(change: Change, key: str) -> object:
    """One value where both sides have it, else A's and B's."""
    if key == "weights_sha256":
        return element("span", OTHER_VALUES, class_="warn") if key in change.differs and change.a and change.b else ""
    found = [_word(key, side.get(key)) if side is not None else "" for side in (change.a, change.b)]
    if key == "form" and found[0] != found[1]:
        found = [one or DENSE for one in found]
    if found[0] == found[1] or (key in ("index", "layer") and all(found)):
        return found[0]
    return element("span", *_two(*found), class_="warn")


def _two(a: str, b: str) -> Iterator[object]:
    yield f"{a or 'none'} → {b or 'none'}"


def _word(key: str, value: object) -> str:
    if value is None or value == "" or (value == 0 and key != "index"):
        return ""
    return format_size(value) if key in _BYTES and isinstance(value, int) else number(value)
