"""Messages and pages at the width of a terminal: no word broken, code as it is."""

from __future__ import annotations

import io
import os
import shutil

import pytest

from edgecompile.cli.console import Console
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.folding import folded, page
from edgecompile.explanations import codes
from edgecompile.explanations import page as explanation


@pytest.mark.parametrize(
    "line, told",
    [
        pytest.param("error[EC1]: one two", "error[EC1]: one\n    two", id="message"),
        pytest.param("   = note: one two three", "   = note: one\n           two\n           three", id="note"),
        pytest.param("  --> net.tflite, op 12", "  --> net.tflite,\n      op 12", id="place"),
        pytest.param("   = help: a/path/that/is/long", "   = help: a/path/that/is/long", id="one long word"),
        pytest.param("fits", "fits", id="short"),
        pytest.param("takes in all 9.5 s, no", "takes in all\n    9.5 s, no", id="unit"),
        pytest.param("there were 21 594 B", "there were\n    21 594 B", id="thousands"),
    ],
)
def test_a_line_is_folded_below_its_text(line: str, told: str) -> None:
    assert folded(line, 17) == told


def test_paragraphs_are_filled_and_code_is_not() -> None:
    same = "# A heading that is long\n\n```\n$ a  command of words\n```\n\n    indented code\n\n"

    told = page(f"{same}one two\nthree four\n- an item of words\n  and more\n- b", 12)

    assert told == f"{same}one two\nthree four\n- an item of\n  words and\n  more\n- b"


@pytest.mark.parametrize("code", codes())
def test_the_prose_of_every_page_fits_80_columns(code: str) -> None:
    text = explanation(code)

    shown = page(text, 80)

    assert shown.split() == text.split()
    prose = [
        line
        for line in shown.split("```")[0::2]
        for line in line.split("\n")
        if not line.startswith(("    ", "|", "#"))
    ]
    assert [line for line in prose if len(line) > 80 and " " in line.strip()] == []


def test_messages_are_folded_to_the_terminal_and_in_a_pipe_to_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((60, 24)))
    told = Diagnostic(code="EC100", message="word " * 30, notes=("note " * 40,))
    person, pipe = (Console(stdout=None, stderr=io.StringIO(), live=live) for live in (True, False))

    for console in (person, pipe):
        console.diagnostics([told])

    shown, piped = person.stderr.getvalue(), pipe.stderr.getvalue()  # type: ignore[union-attr]
    assert 50 < max(map(len, shown.split("\n"))) <= 60
    assert 70 < max(map(len, piped.split("\n"))) <= 80
    assert shown.split() == piped.split()
