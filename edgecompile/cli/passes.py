"""`edgecompile passes`: the compression passes that a recipe may name, and the recipes that come along."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.compress.contract import Pass

_WIDTH = 80


@click.command("passes", short_help="List compression passes and recipes, or a pass's options.")
@click.argument("name", required=False)
@shared_options
@click.pass_obj
def command(console: Console, name: str | None, as_json: bool) -> None:
    """List the compression passes and the recipes that come along; with NAME, the options of that pass."""
    from edgecompile.compress.contract import passes
    from edgecompile.config.recipes import about, shipped
    from edgecompile.core.errors import bad_input, did_you_mean
    from edgecompile.report.json import dump_object

    known = passes()
    if name is not None and name not in known:
        listed = ", ".join(f"`{one}`" for one in known)
        raise bad_input(
            "EC129",
            f"there is no compression pass `{name}`",
            notes=(f"the passes are {listed}",),
            help=did_you_mean(name, known),
        )
    if as_json:
        recipes = {one: about(path) for one, path in shipped().items()}
        wanted = known if name is None else {name: known[name]}
        described = {one: _plain(kind) for one, kind in wanted.items()}
        console.result(dump_object({"passes": described, **({"recipes": recipes} if name is None else {})}))
    elif name is not None:
        console.result("\n".join(_page(name, known[name])))
    else:
        recipes = {one: about(path) for one, path in shipped().items()}
        summaries = {one: _summary(kind) for one, kind in known.items()}
        lines = [
            "Passes, for the steps of a recipe:",
            *_rows(summaries),
            "",
            "Recipes, for `--recipe`:",
            *_rows(recipes),
        ]
        console.result("\n".join(lines))


def _summary(kind: type[Pass]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _plain(kind: type[Pass]) -> dict[str, Any]:
    one: Any = kind()
    return {
        "about": _summary(kind),
        "works_on": kind.phase,
        "trains": one.trains,
        "makes": sorted(one.makes),
        "keeps": sorted(one.keeps),
        "options": [
            {"name": field.name, "default": field.default, "help": field.metadata["help"], **_limits(field)}
            for field in dataclasses.fields(one)
        ],
    }


def _limits(field: Any) -> dict[str, Any]:
    key = field.metadata["key"]
    return {
        name: value
        for name in ("kind", "choices", "minimum", "maximum", "above", "below")
        if (value := getattr(key, name)) not in (None, ())
    }


def _page(name: str, kind: type[Pass]) -> list[str]:
    from edgecompile.compress.recipe_check import WORKS_ON

    plain = _plain(kind)
    lines = textwrap.wrap(f"{name}: {plain['about']}", _WIDTH)
    body = textwrap.dedent((kind.__doc__ or "").partition("\n")[2]).strip().replace("``", "`")
    lines += ["", *textwrap.wrap(body.replace("\n", " "), _WIDTH)] if body else []
    lines += ["", f"works on  {WORKS_ON[kind.phase]}"]
    lines += [f"makes     {', '.join(plain['makes']) or 'nothing that a later step could undo'}"]
    lines += [f"keeps     {', '.join(plain['keeps']) or 'nothing'}", "", "Options:"]
    return lines + _rows({f"{one['name']} = {_written(one['default'])}": _help(one) for one in plain["options"]})


def _help(option: dict[str, Any]) -> str:
    limits = [f"{word} {option[name]:g}" for name, word in _WORDS if name in option]
    if "choices" in option:
        limits.append(", ".join(option["choices"]))
    return str(option["help"]) + (f"  [{'; '.join(limits)}]" if limits else "")


_WORDS = (("minimum", "from"), ("above", "above"), ("maximum", "to"), ("below", "below"))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "(none)"
    return f'"{value}"' if isinstance(value, str) else str(list(value) if isinstance(value, tuple) else value)


def _rows(rows: dict[str, str]) -> list[str]:
    """Names and texts in two columns, wrapped; a name too long for its column has its text on the next line."""
    width = min(max((len(name) for name in rows), default=0), 28)
    lines = []
    for name, text in rows.items():
        wrapped = textwrap.wrap(text, _WIDTH - width - 4) or [""]
        if len(name) > width:
            lines.append(f"  {name}")
            lines += [f"  {'':<{width}}  {part}" for part in wrapped]
        else:
            lines += [f"  {name if not i else '':<{width}}  {part}".rstrip() for i, part in enumerate(wrapped)]
    return lines
