"""Text folded to a width: messages below where they begin, paragraphs of a page; what is code stays as it is."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_OPENING = re.compile(r" *(?:--> |= \w+: |[-*] |\d+\. )?")
_FENCE = "```"
# A blank inside `21 594`, `26.6 KiB`, `3.2 s` or `100.0 %`.
_QUANTITY = re.compile(r"(?<=\d) (?=\d{3}\b|(?:s|min|h|ms|B|KiB|MiB|GiB)\b|%)")
_BOUND = "\N{NO-BREAK SPACE}"


def folded(line: str, width: int) -> str:
    """A message's line, broken between words, its later lines below where the text of the first one begins."""
    if len(line) <= width:
        return line
    opening = _OPENING.match(line)
    first = opening[0] if opening else ""
    return "\n".join(wrapped(line[len(first) :], width, " " * len(first) or "    ", first))


def bound(text: str) -> str:
    """The text with blanks inside a quantity that no line is broken at."""
    return _QUANTITY.sub(_BOUND, text)


def page(text: str, width: int) -> str:
    """Paragraphs and items filled to the width; headings, indented and fenced lines, and tables stay as they are."""
    return "\n".join(_lines(text, width))


def _lines(text: str, width: int) -> Iterator[str]:
    fenced, held = False, ""
    for line in text.split("\n"):
        fenced ^= line.startswith(_FENCE)
        if fenced or _stays(line):
            yield from (*_filled(held, width), line)
            held = ""
        elif re.match(r"[-*] |\d+\. ", line):
            yield from _filled(held, width)
            held = line
        else:
            held = f"{held} {line.strip()}" if held else line
    yield from _filled(held, width)


def _stays(line: str) -> bool:
    is_continued = re.match(r" {1,3}\S", line) is not None
    return not line or line.startswith(("#", "|", _FENCE, "\t")) or (line.startswith(" ") and not is_continued)


def _filled(text: str, width: int) -> list[str]:
    opening = re.match(r"[-*] |\d+\. ", text)
    return wrapped(text, width, " " * (opening.end() if opening else 0)) if text else []


def wrapped(text: str, width: int, indent: str, first: str = "") -> list[str]:
    """Lines of the text; a word that is longer than a line stays whole, the first one beside what opens it.

    A number stays beside its unit and its thousands together.
    """
    lines = textwrap.wrap(
        bound(text),
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_BOUND, " ") for line in lines]
