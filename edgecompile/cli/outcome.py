"""What is shown of finished reports, and the exit code they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgecompile.cli.console import Console
from edgecompile.core.diagnostic import escaped
from edgecompile.core.report import Report

# A report that is `failed` lacks a program or library: other failures are raised before there is a report.
_EXIT_CODES = {"verified": 0, "built": 0, "rejected": 1, "failed": 3, "interrupted": 130}


def show(console: Console, reports: Sequence[Report], html: str | None = None, models: Sequence[str] = ()) -> int:
    """Each report for people on stderr, all of them on stdout with ``--json``; gives the worst exit code.

    ``models`` names each report's model, told where there are several. ``html``: a file for the report as a page;
    several reports get a file each. Raises EC803 where it cannot be written.
    """
    from edgecompile.report.json import dumps
    from edgecompile.report.text import brief, render
    from edgecompile.report.words import nothing_maps

    named = models if len(set(models)) > 1 else [""] * len(reports)
    for report, model in zip(reports, named, strict=True):
        if console.quiet:
            console.diagnostics(report.diagnostics)
        else:
            console.say("")
            if model:
                console.say(f"Model {escaped(Path(model).name)}")
            text = render(report) if console.verbose else brief(report)
            color = "yellow" if nothing_maps(report) else "green"
            console.report(text, "red" if _EXIT_CODES[report.status] else color)
    if html is not None:
        _write_pages(console, reports, Path(html))
    if console.json:
        console.result(dumps(reports))
    return max((_EXIT_CODES[report.status] for report in reports), default=0)


def _write_pages(console: Console, reports: Sequence[Report], place: Path) -> None:
    """One page as ``place`` says, several with the target's name and, where that comes again, a number."""
    from edgecompile.cli.files import write_file
    from edgecompile.report import html

    seen: dict[str, int] = {}
    for report in reports:
        seen[report.target] = seen.get(report.target, 0) + 1
        again = f"-{seen[report.target]}" if seen[report.target] > 1 else ""
        own = place if len(reports) == 1 else place.with_stem(f"{place.stem}-{report.target}{again}")
        write_file(str(own), html.render(report))
        console.say(f"wrote {own}")
