"""The pictures of a report, drawn from its details; each gives an ``<svg>`` element.

They are as wide as a phone's screen (``NARROW``) or a sheet of paper (``WIDE``), so that a letter of theirs is about
as large as one of the page.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.core.units import format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.libs import figures
from edgecompile.libs.figures import BLUE, GREEN, INK, ORANGE, PAPER, PURPLE, SKY, VERMILION, YELLOW

NARROW, WIDE = 340, 800
_ROW = 30
# Of the waterfall, in pixels: a row with a label of one line, each further line; and letters of a line.
_BAR_ROW, _LABEL_LINE, _LABEL = 38, 14, 36
# Of a label, in pixels; and of an operator's name, in letters.
_LETTER, _CAPITAL, _LINE = 5.5, 6.8, 15
_LONGEST = 27
# What a step took away.
FAINT = 0.45
# Light enough for dark letters.
_CYCLE = (SKY, ORANGE, GREEN, PURPLE, YELLOW)
_DARK = "#101418"
_KIBI = 1024


@dataclass(frozen=True, kw_only=True)
class Size:
    """A row of the waterfall: what the model, or its weights, take after a step."""

    label: str
    size_bytes: int


def memory_map(name: str, title: str, plan: Mapping[str, Any], width: int) -> str:
    """Which bytes of the arena belong to which tensor while which operator runs; a bar on top marks the peak."""
    steps, tensors, arena = plan["steps"], plan["tensors"], max(plan["arena_bytes"], 1)
    named = width // max(len(steps), 1) >= 14
    below = 12 + _CAPITAL * max((len(_short(step, _LONGEST)) for step in steps), default=5) if named else 40
    height = 192 + below

    def draw(figure: Any) -> None:
        left, bottom = 62 / width, below / height
        axes = figure.add_axes((left, bottom, 1 - left - 8 / width, 1 - bottom - 26 / height))
        colors = [_CYCLE[index % len(_CYCLE)] for index in range(len(tensors))]
        boxes = [_box(one, color) for one, color in zip(tensors, colors, strict=True)]
        figures.boxes(axes, boxes, PAPER)
        scale = ((width - 70) / max(len(steps), 1), (height - 22 - bottom * height) / arena)
        for word, x, y in _labels([one["name"] for one in tensors], boxes, scale):
            axes.text(x, y, word, ha="center", va="center", fontsize=9, color=_DARK)
        axes.set_xlim(0, max(len(steps), 1))
        axes.set_ylim(0, arena)
        _byte_ticks(axes.yaxis, arena)
        if named:
            axes.set_xticks(
                np.arange(len(steps)) + 0.5, [_short(step, _LONGEST) for step in steps], rotation=90, fontsize=9
            )
        else:
            axes.set_xlabel("operator")
        peak = plan["peak_step"]
        side = "right" if peak > len(steps) * 0.7 else "left"
        per_byte = arena / (height - 26 - below)
        bar = figures.Box(x=peak, y=arena + 3 * per_byte, width=1, height=3 * per_byte, color=INK)
        figures.boxes(axes, [bar], clipped=False)
        axes.text(peak + (side == "right"), bar.y + 5 * per_byte, "peak", ha=side, va="bottom", fontsize=9)

    return figures.svg(name, title, (width, height), draw)


def _labels(
    names: Sequence[str], boxes: Sequence[figures.Box], scale: tuple[float, float]
) -> Iterator[tuple[str, float, float]]:
    """Names of boxes that have room for them, in their middle, largest box first, none over another.

    ``scale``: pixels of a step and of a byte. What later boxes lie over is no room.
    """
    taken: list[tuple[float, float, float]] = []
    order = sorted(range(len(boxes)), key=lambda index: -boxes[index].width * boxes[index].height)
    for index in order:
        box, name = boxes[index], names[index]
        if box.height * scale[1] <= _LINE:
            continue
        first, last = _seen(box, boxes[index + 1 :])
        room = int((last - first) * scale[0] / _LETTER) - 1
        word, least = _short(short_name(name), room), min(len(short_name(name)), 12)
        x, y = (first + last) / 2, box.y + box.height / 2
        half = len(word) * _LETTER / 2
        near = any(
            abs(x - other_x) * scale[0] < half + other_half and abs(y - other_y) * scale[1] < _LINE
            for other_x, other_y, other_half in taken
        )
        if room >= least and not near:
            taken.append((x, y, half))
            yield word, x, y


def _seen(box: figures.Box, later: Sequence[figures.Box]) -> tuple[float, float]:
    """Where the longest row of steps begins and ends during which nothing lies over the middle of the box."""
    middle = box.y + box.height / 2
    over = [(o.x, o.x + o.width) for o in later if o.y < middle < o.y + o.height]
    best = start = box.x
    length = 0.0
    for step in np.arange(box.x, box.x + box.width):
        if any(first <= step < last for first, last in over):
            start = step + 1
        elif step + 1 - start > length:
            best, length = start, step + 1 - start
    return best, best + length


def waterfall(name: str, title: str, sizes: Sequence[Size]) -> str:
    """Bars from each size to the next: what a step took away is green, what one added is vermilion.

    A long label is folded beside the size.
    """
    labels = [textwrap.wrap(one.label, _LABEL, break_on_hyphens=False) for one in sizes]
    tops = list(itertools.accumulate((_BAR_ROW + _LABEL_LINE * (len(lines) - 1) for lines in labels), initial=0))
    most = max(max(one.size_bytes for one in sizes), 1)

    def draw(figure: Any) -> None:
        axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
        before: int | None = None
        boxes: list[figures.Box] = []
        for one, lines, top, end in zip(sizes, labels, tops[:-1], tops[1:], strict=True):
            kept = one.size_bytes if before is None else min(before, one.size_bytes)
            boxes.append(_bar(end, 0, kept, BLUE))
            if before is not None and before != one.size_bytes:
                less = one.size_bytes < before
                boxes.append(_bar(end, kept, abs(before - one.size_bytes), GREEN if less else VERMILION, less))
            for index, line in enumerate(lines):
                axes.text(0, top + _LABEL_LINE * (index + 1), line, ha="left", va="baseline")
            told = format_size(one.size_bytes) + _change(before, one.size_bytes)
            axes.text(most, top + _LABEL_LINE, told, ha="right", va="baseline")
            before = one.size_bytes
        figures.boxes(axes, boxes)
        axes.set_xlim(0, most)
        axes.set_ylim(tops[-1], 0)
        axes.axis("off")

    return figures.svg(name, title, (NARROW, tops[-1]), draw)


def _change(before: int | None, after: int) -> str:
    """In percent, nothing where nothing changed."""
    if not before or before == after:
        return ""
    return f"  {100 * (after / before - 1):+.0f} %"


def ridges(name: str, title: str, steps: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """A layer's weights after each step, one below the other: stored integers to the right, how often upwards.

    Heights are square roots of counts, for otherwise a layer of mostly zeros shows nothing but them.
    """
    height = 26 + 46 * len(steps)

    def draw(figure: Any) -> None:
        axes = figure.add_axes((0.02, 20 / height, 0.96, 1 - 24 / height))
        reach = max(len(one["counts"].split()) * one["width"] / 2 for _, one in steps)
        for row, (step, one) in enumerate(steps):
            counts = np.sqrt([float(word) for word in one["counts"].split()])
            edges = (np.arange(len(counts) + 1) - len(counts) / 2) * one["width"]
            heights = 0.62 * counts / max(counts.max(), 1) - row
            style = {"facecolor": SKY, "edgecolor": BLUE, "linewidth": 0.8}
            axes.stairs(heights, edges, baseline=-row, fill=True, **style)
            axes.text(-reach, 0.68 - row, step, va="bottom", fontsize=10)
        axes.set_xlim(-reach, reach)
        axes.set_ylim(0.98 - len(steps), 0.98)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(labelsize=8, length=2)

    return figures.svg(name, title, (NARROW / 2, height), draw)


# Words centred nearer to an end than this share of the axis would reach beyond the picture.
_EDGE = 0.08


def sensitivity(name: str, title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """What each operator alone, in integers, changes of the outputs; the most sensitive first."""
    height = _ROW * len(rows) * 1.1 + 34

    def draw(figure: Any) -> None:
        axes = figure.add_axes((0.03, 32 / height, 0.94, 1 - 34 / height))
        errors = [max(row["output_error"], 1e-12) for row in rows]
        floor = min(errors) / 3
        axes.set_xscale("log")
        axes.barh(range(len(rows)), [error - floor for error in errors], 0.4, floor, color=ORANGE, linewidth=0)
        right = max(errors) * 1.2
        for index, row in enumerate(rows):
            told = f"{row['operator']} {row['name']}"
            axes.text(floor, index - 0.25, _short(told, 36), ha="left", va="bottom", fontsize=9)
            axes.text(right, index - 0.25, _percent(row["output_error"]), ha="right", va="bottom", fontsize=9)
        axes.set_xlim(floor, right)
        axes.set_ylim(len(rows) - 0.6, -0.8)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.minorticks_off()
        powers = range(math.ceil(math.log10(floor)), math.floor(math.log10(right)) + 1)
        ticks = [10.0**power for power in powers[:: 1 + len(powers) // 4]]
        axes.set_xticks(ticks, [_percent(tick) for tick in ticks], fontsize=9)
        for tick, written in zip(ticks, axes.get_xticklabels(), strict=True):
            place = math.log(tick / floor) / math.log(right / floor)
            written.set_ha("left" if place < _EDGE else "right" if place > 1 - _EDGE else "center")
        axes.set_xlabel("output error (mean squared, relative)")

    return figures.svg(name, title, (NARROW, height), draw)


def confusion(name: str, title: str, rows: Sequence[str], labels: Sequence[str]) -> str:
    """Counts by label (downwards) and answer (to the right): right ones blue, wrong ones vermilion."""
    counts = np.array([[int(word) for word in row.split()] for row in rows])
    classes, height = len(counts), NARROW
    words = [_short(label, 10) for label in labels] if len(labels) == classes else [str(i) for i in range(classes)]
    room = 14 + 6 * max(map(len, words))

    def draw(figure: Any) -> None:
        axes = figure.add_axes((room / NARROW, 4 / height, 1 - (room + 4) / NARROW, 1 - (room + 22) / height))
        most = max(int(counts.max()), 1)
        boxes = []
        for row, column in zip(*np.nonzero(counts), strict=True):
            alpha = 0.12 + 0.78 * float(np.sqrt(counts[row, column] / most))
            color = BLUE if row == column else VERMILION
            boxes.append(figures.Box(x=column - 0.5, y=row - 0.5, width=1, height=1, color=color, alpha=alpha))
            if classes <= 14:
                ink = "#ffffff" if alpha > 0.6 else INK
                axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=9, color=ink)
        figures.boxes(axes, boxes)
        axes.set_xlim(-0.5, classes - 0.5)
        axes.set_ylim(classes - 0.5, -0.5)
        axes.xaxis.tick_top()
        shown = range(0, classes, 1 if classes <= 16 else 4)
        upright = max(map(len, words)) > 2
        axes.set_xticks(list(shown), [words[i] for i in shown], fontsize=8, rotation=90 if upright else 0)
        axes.set_yticks(list(shown), [words[i] for i in shown], fontsize=8)
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("answer", fontsize=9)
        axes.set_ylabel("label", fontsize=9)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(True)

    return figures.svg(name, title, (NARROW, height), draw)


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.2g} %".replace("e-0", "e-")


def _box(tensor: Mapping[str, Any], color: str) -> figures.Box:
    span = tensor["last"] + 1 - tensor["first"]
    return figures.Box(
        x=tensor["first"], y=tensor["offset"], width=span, height=tensor["bytes"], color=color, alpha=0.92
    )


def _bar(end: float, start: float, size: float, color: str, faint: bool = False) -> figures.Box:
    """The bar of a row that ends at ``end``, below its label."""
    return figures.Box(x=start, y=end - 19, width=size, height=15, color=color, alpha=FAINT if faint else 1.0)


def _end(text: str, most: int) -> str:
    """The end of a layer's name tells it from its neighbours."""
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"


def _byte_ticks(axis: Any, most: int) -> None:
    """Four even steps in round binary sizes."""
    unit, word = (_KIBI, "KiB") if most >= 4 * _KIBI else (1, "B")
    rough = most / unit / 4
    step = next(nice for nice in (2**power for power in range(30)) if nice >= rough)
    ticks = [tick for tick in range(0, int(most / unit) + 1, step)]
    axis.set_ticks([tick * unit for tick in ticks], [f"{tick} {word}" for tick in ticks])
