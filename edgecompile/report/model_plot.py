"""A model as a picture: its operators from first to last, how they are connected, and what each takes."""

from __future__ import annotations

from dataclasses import dataclass
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
from edgecompile.report.plots import NARROW

# Key, title, colour.
_BARS = (("weights_bytes", "weights", BLUE), ("output_bytes", "output", GREEN), ("macs", "MACs", ORANGE))
_GAP = 0.012


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where things stand: sizes in pixels; ``graph`` and ``bars`` (a left end) in shares of the width, others in rows.

    ``most``: how far a column reaches, its longest bar being 1.
    """

    width: int
    row: int
    head: int
    graph: float
    bars: float
    most_letters: int
    name_at: float = 0.0
    bar_at: float = 0.0
    bar_height: float = 0.7
    total: str = "{}, {} in all"
    total_at: float = -0.9
    most: float = 1.55


_WIDE = _Layout(width=900, row=17, head=40, graph=0.10, bars=0.442, most_letters=46)
# Bars stand below the names, for there is no room beside them.
_NARROW = _Layout(
    width=NARROW, row=36, head=48, graph=0.09, bars=0.102, most_letters=44,
    name_at=-0.22, bar_at=0.2, bar_height=0.36, total="{}\n{}", total_at=-0.62, most=2.4,
)  # fmt: skip


def svg(name: str, network: Network) -> str:
    """An ``<svg>`` element with a row for each operator of the main subgraph. Raises EC190 without matplotlib."""
    return _drawn("model", name, network, _WIDE)


def page(name: str, network: Network) -> str:
    """The picture as a page of its own, for a wide and for a narrow screen."""
    told = (
        "Operators from first to last. Arcs at the left are connections that leave operators out. Bytes and "
        "multiply-accumulates are counted in the file."
    )
    both = (("wide", _WIDE), ("narrow", _NARROW))
    drawn = (element("div", Markup(_drawn(f"model-{k}", name, network, layout)), class_=k) for k, layout in both)
    return html.page(name, [element("h1", name), element("figure", *drawn, element("figcaption", told))])


def _drawn(identity: str, name: str, network: Network, layout: _Layout) -> str:
    rows = [row for row in side_of_network(name, network, 0).operators if not row["subgraph"]]
    height = layout.head + layout.row * max(len(rows), 1)

    def draw(figure: Any) -> None:
        share = 1 - layout.head / height
        _graph(figure.add_axes((0.005, 0.0, layout.graph, share)), network.main, len(rows))
        start = layout.graph + _GAP
        _names(figure.add_axes((start, 0.0, 1 - start, share)), rows, layout)
        room = (1 - layout.bars) / len(_BARS)
        for number, (key, title, color) in enumerate(_BARS):
            axes = figure.add_axes((layout.bars + room * number, 0.0, room - _GAP, share))
            _bars(axes, rows, key, title, color, layout)

    return figures.svg(identity, f"Operators of {name}", (layout.width, height), draw)


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


def _names(axes: Any, rows: list[Row], layout: _Layout) -> None:
    for index, row in enumerate(rows):
        name = shorten(f"{row['operator']}  {row['layer']}", layout.most_letters)
        axes.text(0, index + layout.name_at, name, va="center", fontsize=9)
    axes.set_xlim(0, 1)
    _frame(axes, max(len(rows), 1))


def _bars(axes: Any, rows: list[Row], key: str, title: str, color: str, layout: _Layout) -> None:
    values = [row[key] or 0 for row in rows]
    most = max([*values, 1])
    axes.set_xlim(0, most * layout.most)  # room for the number behind the longest bar
    low, height = layout.bar_at - layout.bar_height / 2, layout.bar_height
    bars = [figures.Box(x=0, y=at + low, width=value, height=height, color=color) for at, value in enumerate(values)]
    figures.boxes(axes, bars)
    told = group if key == "macs" else format_size
    for index, value in enumerate(values):
        if value:
            axes.text(value + most * 0.02, index + layout.bar_at, told(value), va="center", fontsize=8)
    total = layout.total.format(title, told(sum(values)))
    axes.text(0, layout.total_at, total, va="bottom", fontsize=10, clip_on=False)
    _frame(axes, max(len(rows), 1))
