"""Every code that the compiler says has a page of one form and a test that names it, and no page is orphaned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgecompile.explanations import codes, page, title

CHECKOUT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bEC\d{3}\b")
# A code is said where it stands in quotes; elsewhere it is only talked about.
SAID = re.compile(r"""["'](EC\d{3})["']""")
SECTIONS = ["## An input that triggers it", "## Why it matters", "## How out"]


def said() -> dict[str, list[str]]:
    """Codes used in the package, with the files that use them."""
    found: dict[str, list[str]] = {}
    for path in sorted((CHECKOUT / "edgecompile").rglob("*.py")):
        for code in SAID.findall(path.read_text(encoding="utf-8")):
            found.setdefault(code, []).append(str(path.relative_to(CHECKOUT)))
    return found


def named_in_tests() -> set[str]:
    """Codes that some test other than this contract names."""
    tests = (path for path in (CHECKOUT / "tests").rglob("*.py") if path != Path(__file__))
    return {code for path in tests for code in CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_that_is_said_has_a_page() -> None:
    unexplained = [f"{code} of {places[0]}" for code, places in said().items() if code not in codes()]

    assert not unexplained, "\n".join(["without a page:", *unexplained])


def test_every_page_is_of_a_code_that_is_said() -> None:
    orphans = sorted(set(codes()) - set(said()))

    assert orphans == []


def test_every_code_has_a_test_that_names_it() -> None:
    named = named_in_tests()
    untested = [f"{code} of {places[0]}" for code, places in said().items() if code not in named]

    assert not untested, "\n".join(["without a test:", *untested])


@pytest.mark.parametrize("code", codes())
def test_a_page_has_its_title_and_its_three_sections_each_with_something_in_it(code: str) -> None:
    text = page(code)

    assert text.startswith(f"# {code}: ")
    assert title(code)
    assert re.findall(r"^## .*$", text, re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .*$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("code", codes())
def test_a_page_mentions_only_codes_that_exist(code: str) -> None:
    assert set(CODE.findall(page(code))) <= set(codes()) | {"EC999"}


def test_a_page_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        page("EC999")
