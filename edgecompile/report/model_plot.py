"""A model as a picture: its operators from first to last, how they are connected, and what each takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.core.units import format_size, group
from edgecompile.ir.network import Network, Subgraph
from edgecompile.ir.spelling import shorten
from edgecompile.libs import figures
from edgecompile.libs.figures import BLUE, GREEN, MUTED, ORANGE
from edgecompile.report import html
from edgecompile.report.diff import Row, side_of_network
from edgecompile.report.html_elements import Markup, element

_WIDTH, _ROW, _HEAD = 900, 17, 40
_GRAPH, _NAMES = 0.10, 0.33
# Key, title, colour.
_BARS = (("weights_bytes", "weights", BLUE), ("output_bytes", "output", GREEN), ("macs", "MACs", ORANGE))


def svg(name: str, network: Network) -> str:
    """An ``<svg>`` element with a row for each operator of the main subgraph. Raises EC190 without matplotlib."""
    rows = [row for row in side_of_network(name, network, 0).operators if not row["subgraph"]]
    height = _HEAD + _ROW * max(len(rows), 1)

    def draw(figure: Any) -> None:
        whole = (0.0, 0.0, 1.0, 1 - _HEAD / height)
        _graph(figure.add_axes((0.005, whole[1], _GRAPH, whole[3])), network.main, len(rows))
        _names(figure.add_axes((_GRAPH + 0.012, whole[1], _NAMES, whole[3])), rows)
        room = 1 - _GRAPH - _NAMES - 0.012
        for number, (key, title, color) in enumerate(_BARS):
            left = _GRAPH + 0.012 + _NAMES + room * number / len(_BARS)
            axes = figure.add_axes((left, whole[1], room / len(_BARS) - 0.012, whole[3]))
            _bars(axes, rows, key, title, color)

    return figures.svg("model", f"Operators of {name}", (_WIDTH, height), draw)


def page(name: str, network: Network) -> str:
    """The picture as a page of its own."""
    told = "Operators from first to last. Arcs at the left are connections that leave operators out."
    body = [
        element("h1", name),
        element("figure", element("div", Markup(svg(name, network)), class_="scroll"), element("figcaption", told)),
    ]
    return html.page(name, body)


def _frame(axes: Any, count: int) -> None:
    axes.set_ylim(count - 0.5, -0.5)
    axes.axis("off")


def _graph(axes: Any, main: Subgraph, count: int) -> None:
    """Dots for operators, a line to the next one that reads it, arcs for those further on: the longer, the wider."""
    producer = {tensor: index for index, operator in enumerate(main.operators) for tensor in operator.outputs}
    edges = sorted(
        {(producer[i], index) for index, op in enumerate(main.operators) for i in op.inputs if i in producer}
    )
    turn = np.linspace(0, np.pi, 24)
    for first, last in edges:
        reach = 0.0 if last == first + 1 else min(1.0, 0.18 + 0.06 * (last - first))
        middle, half = (first + last) / 2, (last - first) / 2
        axes.plot(1 - reach * np.sin(turn), middle - half * np.cos(turn), color=MUTED, linewidth=1)
    axes.plot([1.0] * count, range(count), linestyle="none", marker="o", markersize=4, color=BLUE)
    axes.set_xlim(-0.05, 1.05)
    _frame(axes, count)


def _names(axes: Any, rows: list[Row]) -> None:
    for index, row in enumerate(rows):
        axes.text(0, index, shorten(f"{row['operator']}  {row['layer']}", 46), va="center", fontsize=9)
    axes.set_xlim(0, 1)
    _frame(axes, max(len(rows), 1))


def _bars(axes: Any, rows: list[Row], key: str, title: str, color: str) -> None:
    values = [row[key] or 0 for row in rows]
    most = max([*values, 1])
    axes.set_xlim(0, most * 1.55)  # room for the number behind the longest bar
    figures.boxes(
        axes,
        [figures.Box(x=0, y=index - 0.35, width=value, height=0.7, color=color) for index, value in enumerate(values)],
    )
    for index, value in enumerate(values):
        if value:
            word = group(value) if key == "macs" else format_size(value)
            axes.text(value + most * 0.02, index, word, va="center", fontsize=8)
    total = group(sum(values)) if key == "macs" else format_size(sum(values))
    axes.text(0, -0.9, f"{title}, {total} in all", va="bottom", fontsize=10, clip_on=False)
    _frame(axes, max(len(rows), 1))
