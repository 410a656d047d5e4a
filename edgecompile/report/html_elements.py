"""HTML from values: every text is escaped here, and nowhere else is a tag written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from edgecompile.core.folding import bound

# In letters, of a card on a phone.
_HALF = 17
_TAG = re.compile("<[^>]*>")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: object, **attributes: str | None) -> Markup:
    """``<name ...>children</name>``: attributes and children that are no Markup are escaped, None is left out.

    An underscore behind an attribute's name goes (``class_``), others become hyphens.
    """
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    words = "".join(f' {key}="{escape(value, quote=True)}"' for key, value in named)
    return Markup(f"<{name}{words}>{together(children)}</{name}>")


def together(parts: Iterable[object]) -> Markup:
    """Parts in a row; what is no Markup is escaped, None is left out."""
    return Markup("".join(_written(part) for part in parts if part is not None))


def prose(text: str) -> Markup:
    """A message's text, what stands in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return together([text])
    return together(element("code", part) if index % 2 else part for index, part in enumerate(parts))


def table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = (), texts: Iterable[int] = ()
) -> Markup:
    """A table that a narrow screen shows as cards, without empty cells; columns ``numbers`` stand to the right.

    ``texts``: columns of whole sentences. No column without a single entry is shown. On a card two columns share a line
    where both are numbers or short words.
    """
    lines, right, long = [list(row) for row in rows], set(numbers), set(texts)
    kept = [index for index in range(len(heads)) if any(_filled(row[index]) for row in lines)]
    head = element("tr", *(element("th", heads[i], scope="col", class_="n" if i in right else None) for i in kept))
    kinds = {i: "n" if i in right else "t" if i in long else "" for i in kept}
    kinds |= {i: "h" for i in kept if not kinds[i] and all(_is_short(heads[i], row[i]) for row in lines)}
    body = (element("tr", *(_cell(row[i], heads[i], kinds[i]) for i in kept)) for row in lines)
    return element("table", element("thead", head), element("tbody", *body), class_="cards")


def pairs(rows: Iterable[tuple[str, object]]) -> Markup:
    """Names and values, one a line."""
    lines = (element("tr", element("td", name), element("td", value)) for name, value in rows)
    return element("table", element("tbody", *lines), class_="pairs")


def _cell(value: object, head: str, kind: str) -> Markup:
    words = [kind] if kind else []
    words += [] if _filled(value) else ["empty"]
    return element("td", element("div", value), data_label=head, class_=" ".join(words) or None)


def _is_short(head: str, value: object) -> bool:
    """Head and value have room in half of a phone's width."""
    return len(head) + len(_TAG.sub("", str(value))) <= _HALF


def _filled(value: object) -> bool:
    return value is not None and value != ""


def _written(part: object) -> str:
    """Escaped, and no number parted from its unit where a line ends."""
    return part if isinstance(part, Markup) else escape(bound(str(part)), quote=True)
