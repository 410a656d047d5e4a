"""Man pages of edgecompile, one a command, from what Click knows of them: docs/man/*.1."""

from __future__ import annotations

import re
from pathlib import Path

import click

from edgecompile.cli.application import edgecompile

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "man"


def pages() -> dict[Path, str]:
    """The text of every page, by the file that it belongs into."""
    with click.Context(edgecompile, info_name="edgecompile", **edgecompile.context_settings) as context:
        below = {name: edgecompile.get_command(context, name) for name in edgecompile.list_commands(context)}
        found = {FOLDER / "edgecompile.1": _page(context, [name for name in below])}
        for name, command in below.items():
            assert command is not None
            with click.Context(command, info_name=name, parent=context) as inner:
                found[FOLDER / f"edgecompile-{name}.1"] = _page(inner, [])
    return found


def _page(context: click.Context, others: list[str]) -> str:
    """One page in man(7)'s macros."""
    command, words = context.command, context.command_path.split()
    about, *rest = _paragraphs(command.help or "")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f'.TH "{"-".join(words).upper()}" "1" "" "edgecompile" "User Commands"']
    lines += [".SH NAME", f"{_text('-'.join(words))} \\- {_text(about.rstrip('.'))}"]
    lines += [".SH SYNOPSIS", f".B {_text(context.command_path)}", _text(usage)]
    if rest:
        lines += [".SH DESCRIPTION", *_joined(rest)]
    lines += [".SH OPTIONS", *_records(context, command.get_params(context))]
    if isinstance(command, click.Group) and not others:
        shared = {parameter.name for parameter in command.params}
        lines.append(".SH COMMANDS")
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            lines += [".TP", f"\\fB{_text(name)}\\fP", _text(_paragraphs(below.help or "")[0])]
            with click.Context(below, info_name=name, parent=context) as inner:
                lines += [".RS", *_records(inner, [p for p in below.params if p.name not in shared]), ".RE"]
    lines += [".SH EXIT STATUS", *_EXIT] if others else []
    also = [f"edgecompile-{name}" for name in others] or ["edgecompile"]
    return "\n".join([*lines, ".SH SEE ALSO", ",\n".join(f".BR {_text(name)} (1)" for name in also)]) + "\n"


_EXIT = [
    line
    for code, meaning in (
        ("0", "built and verified, or the question answered"),
        ("1", "rejected: operators, budgets, verification or accuracy"),
        ("2", "usage, configuration, or an input that cannot be read"),
        ("3", "a needed program or library is missing"),
        ("70", "a fault of edgecompile"),
        ("130", "interrupted"),
    )
    for line in (".TP", f".B {code}", meaning)
]


def _records(context: click.Context, parameters: list[click.Parameter]) -> list[str]:
    found = []
    for parameter in parameters:
        if isinstance(parameter, click.Argument):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            found += [".TP", f"\\fB{_text(record[0])}\\fP", _text(" ".join(record[1].split()))]
    return found


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]


def _joined(paragraphs: list[str]) -> list[str]:
    return [line for paragraph in paragraphs for line in (".PP", _text(paragraph))][1:]


def _text(plain: str) -> str:
    """Text that troff takes as it is."""
    escaped = plain.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
