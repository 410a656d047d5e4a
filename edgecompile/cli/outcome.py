"""What is shown of finished reports, and the exit code they make."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.cli.console import Console
from edgecompile.core.report import Report

# A report that is `failed` lacks a program or library: other failures are raised before there is a report.
_EXIT_CODES = {"verified": 0, "built": 0, "rejected": 1, "failed": 3, "interrupted": 130}


def show(console: Console, reports: Sequence[Report]) -> int:
    """Each report for people on stderr, all of them on stdout with ``--json``; gives the worst exit code."""
    from edgecompile.report.json import dumps
    from edgecompile.report.text import brief, render

    for report in reports:
        if console.quiet:
            console.diagnostics(report.diagnostics)
        else:
            console.say("")
            text = render(report) if console.verbose else brief(report)
            console.report(text, "red" if _EXIT_CODES[report.status] else "green")
    if console.json:
        console.result(dumps(reports))
    return max((_EXIT_CODES[report.status] for report in reports), default=0)
