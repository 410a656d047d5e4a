"""A diagnostic as text: what is quoted from files neither moves a cursor nor looks like a message of ours."""

from __future__ import annotations

import io

from edgecompile.cli.console import Console
from edgecompile.core.diagnostic import Diagnostic, Location

NAME = "a\nerror[EC999]: b\x1b[31m\udcff.keras"
SHOWN = "a\\nerror[EC999]: b\\x1b[31m\\udcff.keras"


def test_names_with_ends_of_lines_and_escapes_stay_on_their_line() -> None:
    told = Diagnostic(code="EC200", message=f"no `{NAME}`", location=Location(file=NAME), help=(f"try `{NAME}`",))

    lines = told.render().split("\n")

    assert lines == [
        f"error[EC200]: no `{SHOWN}`",
        f"  --> {SHOWN}",
        "   = help: try `a",
        "           error[EC999]: b\\x1b[31m\\udcff.keras`",
        "   = more: edgecompile explain EC200",
    ]


def test_stages_show_names_as_diagnostics_do() -> None:
    console = Console(stdout=None, stderr=io.StringIO())

    console.begin("load", NAME)
    console.end(NAME)

    assert console.stderr is not None
    assert console.stderr.getvalue().split() == ["Load", *SHOWN.split(), *SHOWN.split()]  # type: ignore[attr-defined]
