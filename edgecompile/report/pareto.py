"""The front of a search: as a picture, as a table of text, and as a section of a report's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.units import counted, format_size, group
from edgecompile.libs import figures
from edgecompile.report.html_elements import Markup, element, table, together
from edgecompile.report.plots import NARROW
from edgecompile.report.table import WIDTH, drawn, wrap

Front = Mapping[str, Any]
DETAIL = "search"
_ACCURACY = "accuracy"
_SHARES = ("top1", "auc", "miou")
_DROP = "drop"
_LIMITS = {"flash": "flash_bytes", "ram": "ram_bytes"}
_TITLES = {"flash": "Flash", "ram": "RAM", "time": "Time", "energy": "Energy", "weights": "Weights", "macs": "MACs",
           _DROP: "Drop"}  # fmt: skip
_NEAR = 20.0  # points of a hundred below the best that the picture shows where scores lie far apart
_BLACK, _GRAY = "#101418", "#8c959f"


def text(front: Front) -> str:
    """A line a point, the best one marked, the budgets below; scores are on the test part.

    A long recipe stands below its line.
    """
    lines = [_heads(front), *([_mark(front, one), *_row(front, one)] for one in front["points"])]
    rows = drawn(lines, [False] * len(lines[0]), WIDTH)
    return "\n".join([*rows, *wrap(_budgets(front), "")] if _budgets(front) else rows)


def png(front: Front) -> bytes:
    """``pareto.png``. Raises MissingError EC190 without matplotlib."""
    size = (640.0, 420.0)
    return figures.png(size, lambda figure: _draw(figure, front, size, plain=True))


def section(details: Mapping[str, Any]) -> Markup | None:
    """The picture and the table, where the report's details hold a search."""
    front = details.get(DETAIL)
    if not front or not front.get("points"):
        return None
    words = f"{_told(front)} {_budgets(front)}".strip()
    told = element("p", words, class_="soft")
    if figures.is_installed():
        size = (float(NARROW), 300.0)
        picture = figures.svg("pareto", _told(front), size, lambda figure: _draw(figure, front, size, plain=False))
        told = element("div", element("figure", Markup(picture), element("figcaption", words)), class_="plots")
    heads, rows = _heads(front), ([_mark(front, one), *_row(front, one)] for one in front["points"])
    return together([told, table(heads, rows, numbers=range(1, len(heads) - 1))])


def value(name: str, figure: Mapping[str, Any]) -> str:
    """A figure of an objective as people read it."""
    if name == _DROP:
        return _dropped(figure["drop"], figure)
    if name not in figure["values"]:
        return "-"
    found, unit = figure["values"][name], figure["units"][name]
    if name == _ACCURACY:
        return f"{100 * found:.2f} %" if unit in _SHARES else f"{found:.5g}"
    if unit == "bytes":
        return format_size(int(found))
    told = group(found) if isinstance(found, int) else f"{found:.4g}"
    return told if unit == "count" else f"{told} {unit}"


def _told(front: Front) -> str:
    counts = front["trials"]
    return (
        f"{counted(counts['built'], 'trial')} {_was(counts['built'])} built, {counts['failed']} of them failed; "
        f"{counts['discarded']} {_was(counts['discarded'])} discarded without training. "
        "Scores are measured on the test part, which the search did not see, and in brackets on the samples that it "
        "held out; the other figures are those of each point's own build."
    )


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _heads(front: Front) -> list[str]:
    unit = front["points"][0]["test"]["units"][_ACCURACY] if front["points"] else _ACCURACY
    return ["", "trial", unit, "(search)", *(_TITLES[name] for name in _figured(front)), "recipe"]


def _row(front: Front, one: Mapping[str, Any]) -> list[str]:
    scores = [value(_ACCURACY, one["test"]), f"({value(_ACCURACY, one['search'])})"]
    return [str(one["trial"]), *scores, *(value(name, one["test"]) for name in _figured(front)), one["title"]]


def _mark(front: Front, one: Mapping[str, Any]) -> str:
    if one["trial"] == front["best"]:
        return "best"
    return "front" if one["on_front"] else ""


def _figured(front: Front) -> list[str]:
    """Columns: the objectives, what else there is a budget of, and the drop where it is bound."""
    bound = [name for name in (*_LIMITS, _DROP) if front["limits"][_LIMITS.get(name, "max_drop")] is not None]
    return list(dict.fromkeys((*_shown(front), *bound)))


def _budgets(front: Front) -> str:
    """The budgets in a sentence, nothing where there are none."""
    limits = front["limits"]
    told = [f"{_TITLES[name]} {format_size(limits[key])}" for name, key in _LIMITS.items() if limits[key] is not None]
    if limits["max_drop"] is not None and front["points"]:
        told.append(f"drop from the float model {_dropped(limits['max_drop'], front['points'][0]['test'])}")
    return f"Budgets: {', '.join(told)}." if told else ""


def _dropped(drop: float | None, figure: Mapping[str, Any]) -> str:
    if drop is None:
        return "-"
    drop = round(drop, 9) or 0.0  # no minus in front of what is nothing
    return f"{100 * drop:.2f} %" if figure["units"][_ACCURACY] in _SHARES else f"{drop:.5g}"


def _shown(front: Front) -> list[str]:
    return [name for name in front["objectives"] if name != _ACCURACY]


def _draw(figure: Any, front: Front, size: tuple[float, float], *, plain: bool) -> None:
    """Score over the first other objective: what was tried in grey, the front as stairs, the best ringed.

    Points that are on the front by another objective alone stand open beside the stairs.
    """
    first = next(iter(_shown(front)), "flash")
    points = [one for one in front["points"] if first in one["test"]["values"]]
    ink = _BLACK if plain else figures.INK
    left, bottom = 62 / size[0], 46 / size[1]
    axes = figure.add_axes((left, bottom, 1 - left - 14 / size[0], 1 - bottom - 30 / size[1]))
    unit = points[0]["test"]["units"] if points else {_ACCURACY: _ACCURACY, first: ""}
    scale = 1024.0 if unit.get(first) == "bytes" else 1.0
    rise = 100.0 if unit[_ACCURACY] in _SHARES else 1.0
    tried = front.get("tried", ())
    axes.plot([x / scale for x, _ in tried], [y * rise for _, y in tried], "o", color=_GRAY, alpha=0.5, markersize=4,
              label="tried (search score)")  # fmt: skip
    places = [_place(one, first, scale, rise) for one in points if one["on_front"]]
    higher = all(one["test"].get("loss") != one["test"]["values"][_ACCURACY] for one in points)
    stairs = _stairs(places, higher)
    axes.plot(*_columns(stairs), "o-", color=figures.BLUE, markersize=6, linewidth=1.4, drawstyle="steps-post",
              label="front (test score)")  # fmt: skip
    if beside := [place for place in places if place not in stairs]:
        axes.plot(*_columns(beside), "o", color=figures.BLUE, markersize=6, markerfacecolor="none",
                  label="front by " + " or ".join(_TITLES[name].lower() for name in _shown(front) if name != first)
                  )  # fmt: skip
    best = [_place(one, first, scale, rise) for one in points if one["trial"] == front["best"]]
    axes.plot(*_columns(best), "o", markersize=13, markerfacecolor="none", markeredgecolor=figures.VERMILION,
              markeredgewidth=2, label="best")  # fmt: skip
    _limits(axes, front, first, scale, points, rise)
    _cut(axes, [y for _, y in places] + [y * rise for _, y in tried], unit[_ACCURACY])
    axes.set_xlabel(f"{_TITLES[first]}{' in KiB' if scale > 1 else f', {unit.get(first)}'}")
    axes.set_ylabel(f"{unit[_ACCURACY]}{' in %' if rise > 1 else ''}")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4 if plain else 2, fontsize=9 if plain else 8,
                frameon=False, labelcolor=ink, borderaxespad=0.2, handletextpad=0.4, columnspacing=1.2)  # fmt: skip


def _stairs(places: Sequence[tuple[float, float]], higher: bool) -> list[tuple[float, float]]:
    """Of points (cost, score) those that no other beats in both, by cost."""
    found: list[tuple[float, float]] = []
    for cost, score in sorted(set(places), key=lambda place: (place[0], -place[1] if higher else place[1])):
        if not found or (score > found[-1][1] if higher else score < found[-1][1]):
            found.append((cost, score))
    return found


def _cut(axes: Any, scores: Sequence[float], unit: str) -> None:
    """Leave room to what is near the best: recipes that broke the model are named by their number below."""
    if unit not in _SHARES or not scores or min(scores) >= max(scores) - 2 * _NEAR:
        return
    floor = max(scores) - _NEAR
    axes.set_ylim(floor, max(scores) + _NEAR / 20)
    below = sum(score < floor for score in scores)
    axes.annotate(f"{below} more below", (0.99, 0.01), xycoords="axes fraction", ha="right", fontsize=8, color=_GRAY)


def _limits(
    axes: Any, front: Front, first: str, scale: float, points: Sequence[Mapping[str, Any]], rise: float
) -> None:
    granted = front["limits"].get(_LIMITS.get(first, ""))
    style = {"color": figures.ORANGE, "linewidth": 1.2, "linestyle": "--"}
    if granted is not None:
        axes.axvline(granted / scale, label="limit", **style)
    drop = front["limits"]["max_drop"]
    if drop is not None and points and points[0]["test"]["drop"] is not None:
        one = points[0]["test"]
        sign = 1 if one["loss"] == one["values"][_ACCURACY] else -1
        whole = one["values"][_ACCURACY] - sign * one["drop"]
        axes.axhline((whole + sign * drop) * rise, label=None if granted is not None else "limit", **style)


def _place(one: Mapping[str, Any], first: str, scale: float, rise: float) -> tuple[float, float]:
    values = one["test"]["values"]
    return values[first] / scale, values[_ACCURACY] * rise


def _columns(places: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in places], [y for _, y in places]
