"""One page per diagnostic code, read by `edgecompile explain`: what triggers it, why it matters, the way out."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^(EC\d{3})\.md$")


def codes() -> tuple[str, ...]:
    """Every explained code, in order."""
    found = (_NAME.match(entry.name) for entry in files(__name__).iterdir())
    return tuple(sorted(match.group(1) for match in found if match))


def page(code: str) -> str:
    """The whole page of a code, Markdown. Raises KeyError for a code without a page."""
    if code not in codes():
        raise KeyError(code)
    return (files(__name__) / f"{code}.md").read_text(encoding="utf-8")


def title(code: str) -> str:
    """What the code means, from the first line of its page. Raises KeyError for a code without a page."""
    first = page(code).partition("\n")[0]
    return first.removeprefix(f"# {code}:").strip()
