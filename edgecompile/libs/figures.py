"""The door to matplotlib: figures as SVG text that stands inside a page, the same bytes for the same picture.

Text stays text. Colours of ink and lines are the page's own (``INK``, ``MUTED``, ``PAPER``), so that one drawing fits
a light and a dark page; ``standalone`` puts light ones in their place.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from edgecompile.core.errors import missing

# Stand-ins that matplotlib takes for colours; each becomes a property of the page, or its light value.
INK, MUTED, PAPER = "#010203", "#010204", "#010205"
_PROPERTIES = {INK: ("var(--ink)", "#1b1f24"), MUTED: ("var(--line)", "#8c959f"), PAPER: ("var(--paper)", "#ffffff")}
# Okabe and Ito, "Color Universal Design" (2008): told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edgecompile",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "text.parse_math": False,
}
_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# Families, which older versions write behind the size and newer ones by themselves.
_SHORTHAND = re.compile(r"font: (?:[a-z]+ )*([0-9.]+px) [^;\"]*")
_FAMILY = re.compile(r" ?font-family: [^;\"]*;?")
_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*|<style.*?</style>\s*", re.DOTALL)
_IDENTITY = re.compile(r'(\bid="|url\(#|href="#)')


def is_installed() -> bool:
    """Whether pictures can be drawn here."""
    return importlib.util.find_spec("matplotlib") is not None


def svg(name: str, title: str, size: tuple[float, float], draw: Callable[[Any], None]) -> str:
    """An ``<svg>`` element of ``size`` (width, height in CSS pixels) that ``draw`` filled, given matplotlib's figure.

    ``name`` is unique in the page; ``title`` is read to whoever cannot see it. Raises MissingError EC190 without
    matplotlib.
    """
    _demand()
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    text = io.StringIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # Of 72 dots to the inch, so that one unit of the drawing is one CSS pixel of the page.
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72, facecolor="none")
        draw(figure)
        FigureCanvasSVG(figure).print_svg(text, metadata=_METADATA)
    return _element(text.getvalue(), name, title, size)


def png(size: tuple[float, float], draw: Callable[[Any], None], zoom: float = 2.0) -> bytes:
    """A picture of ``size`` as a file of its own, on white, ``zoom`` dots for each CSS pixel.

    Raises MissingError EC190 without matplotlib.
    """
    _demand()
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    light = {stand_in: outside for stand_in, (_, outside) in _PROPERTIES.items()}
    content = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({key: light.get(str(value), value) for key, value in _STYLE.items()})
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=72 * zoom, facecolor="white")
        draw(figure)
        FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def _demand() -> None:
    if not is_installed():
        raise missing("EC190", "pictures need matplotlib, and it is not installed", help=("pip install matplotlib",))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of caches and fonts that nobody asked about


@dataclass(frozen=True, kw_only=True)
class Box:
    """A filled rectangle in the units of its axes."""

    x: float
    y: float
    width: float
    height: float
    color: str
    alpha: float = 1.0


def boxes(axes: Any, drawn: Sequence[Box], edge: str = "none", *, clipped: bool = True) -> None:
    """Many rectangles as one thing to draw, which takes a fraction of the time of as many bars.

    ``clipped``: what lies outside the axes is not drawn.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    corners = [
        [(b.x, b.y), (b.x + b.width, b.y), (b.x + b.width, b.y + b.height), (b.x, b.y + b.height)] for b in drawn
    ]
    colors = [to_rgba(b.color, b.alpha) for b in drawn]
    found = PolyCollection(corners, facecolors=colors, edgecolors=edge, linewidths=0.7, clip_on=clipped)
    axes.add_collection(found, autolim=False)


def standalone(element: str) -> str:
    """An ``<svg>`` element as a file of its own, on white."""
    for inside, outside in _PROPERTIES.values():
        element = element.replace(inside, outside)
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return head + element.replace("<svg ", f'<svg {spaces} style="background: #ffffff; font-family: sans-serif" ', 1)


def _element(drawn: str, name: str, title: str, size: tuple[float, float]) -> str:
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :].strip()
    body = _LEFT_OUT.sub("", body)
    body = _IDENTITY.sub(rf"\g<1>{name}-", body)
    # The page's own fonts: which one matplotlib found here is of no interest there.
    body = _FAMILY.sub("", _SHORTHAND.sub(r"font-size: \1", body))
    for stand_in, (inside, _) in _PROPERTIES.items():
        body = body.replace(stand_in, inside)
    box = f'viewBox="0 0 {size[0]:g} {size[1]:g}" width="{size[0]:g}" height="{size[1]:g}"'
    label = escape(title, quote=True)
    return f'<svg id="{name}" {box} role="img" aria-label="{label}">\n{body}\n'.replace("\n\n", "\n")
