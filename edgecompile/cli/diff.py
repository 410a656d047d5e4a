"""`edgecompile diff A B`: two builds or two models side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.core.report import Report
    from edgecompile.report.diff import Side

_REPORT = "report.json"


@click.command("diff", short_help="Compare two builds or two .tflite files.")
@click.argument("a")
@click.argument("b")
@click.option("--html", metavar="FILE", help="Write the comparison as a page, too.")
@shared_options
@click.pass_obj
def command(console: Console, a: str, b: str, html: str | None, as_json: bool) -> None:
    """Show figures, placement and operators of A and B side by side, and what differs.

    A and B are folders that `build` wrote for a target, their report.json, or .tflite files.
    """
    from edgecompile.cli.files import write_file
    from edgecompile.report import diff, diff_html, diff_text
    from edgecompile.report.json import dump_object

    found = diff.compare(_side(a), _side(b))
    if html is not None:
        write_file(html, diff_html.render(found))
        console.say(f"wrote {html}")
    console.result(dump_object(found.to_dict()) if as_json else diff_text.text(found))


def _side(name: str) -> Side:
    """What a word of the command line stands for. Raises EC800 for what cannot be compared, EC801 for a bad report."""
    from edgecompile.core.errors import bad_input
    from edgecompile.report.diff import side_of_report

    path = Path(name)
    if path.is_dir() and (path / _REPORT).is_file():
        path = path / _REPORT
    if path.suffix == ".json" and path.is_file():
        return side_of_report(name, _report(path))
    if path.suffix == ".tflite" and path.is_file():
        return _model(path)
    inside = sorted(child.parent.name for child in path.glob(f"*/{_REPORT}")) if path.is_dir() else []
    raise bad_input(
        "EC800",
        f"`{name}` is neither a build's folder, nor its report, nor a .tflite file",
        name,
        notes=(f"targets built in it: {', '.join(inside)}",) if inside else (),
        help=(f"name one of them, as in `{path / inside[0]}`",) if inside else ("`edgecompile build` makes one",),
    )


def _report(path: Path) -> Report:
    from edgecompile.core.errors import bad_input
    from edgecompile.core.report import SCHEMA
    from edgecompile.report.json import from_plain

    try:
        plain = json.loads(path.read_bytes())
        found = plain["schema"]
        if found == SCHEMA:
            return from_plain(plain)
        reason = f"limit: schema {SCHEMA}; found: {found}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise bad_input(
        "EC801",
        f"`{path}` is not a report that this version can read",
        str(path),
        notes=(reason,),
        help=("build again, or compare the .tflite files",),
    )


def _model(path: Path) -> Side:
    from edgecompile.core.report import Measure
    from edgecompile.ir.reader import read
    from edgecompile.memory import arena
    from edgecompile.report.diff import side_of_network

    content = path.read_bytes()
    network = read(content, path.name)
    plan = arena.plan(network)
    planned = Measure(name="arena_bytes", value=plan.arena_bytes, unit="bytes", method=f"planned: {plan.method}")
    return side_of_network(str(path), network, len(content), (planned,))
