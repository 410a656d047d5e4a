"""`edgecompile targets list | show | new | check`: the devices that can be compiled for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.cli.usage import unknown_command
from edgecompile.core.units import counted, format_size

if TYPE_CHECKING:
    from edgecompile.core.target import Target

_LABELS = {"flash": "flash", "ram": "RAM"}


class _Group(click.Group):
    """Says what is wrong with a command's name in our form."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; EC101 for a word that names none."""
        known = list(self.commands)
        return (
            super().resolve_command(ctx, args)
            if args[0] in known
            else unknown_command(args[0], known, ctx.command_path)
        )


@click.group("targets", cls=_Group, invoke_without_command=True)
@shared_options
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List, show, start and check device profiles."""
    if context.invoked_subcommand is None:
        context.invoke(list_targets, as_json=as_json)


@command.command("list")
@shared_options
@click.pass_obj
def list_targets(console: Console, as_json: bool) -> None:
    """List every device that can be compiled for."""
    from edgecompile.config.profiles import load, names
    from edgecompile.report.json import dump_object

    targets = [load(name) for name in names()]
    if as_json:
        console.result(dump_object({"targets": [_summary(target) for target in targets]}))
        return
    console.result("\n".join(_columns([(t.id, t.numerics[0], *_memory(t), t.name) for t in targets])))


@command.command("show")
@click.argument("target")
@shared_options
@click.pass_obj
def show(console: Console, target: str, as_json: bool) -> None:
    """Show what a device can do, each number with its source.

    TARGET is a name that `targets list` prints, or the path of a profile.
    """
    from edgecompile.config.profiles import load
    from edgecompile.report.json import dump_object

    found = load(target)
    console.result(dump_object(_plain(found)) if as_json else "\n".join(_page(found)))


@command.command("new")
@click.argument("name")
@click.option("--extends", default="cortex-m4", show_default=True, metavar="TARGET", help="Profile to start from.")
@click.option("--output", "-o", metavar="FILE", help="Where to write.  [default: NAME.toml]")
@shared_options
@click.pass_obj
def new_target(console: Console, name: str, extends: str, output: str | None, as_json: bool) -> None:
    """Start a profile for a device of your own."""
    from edgecompile.config.profiles import new
    from edgecompile.report.json import dump_object

    path = Path(output or f"{name}.toml")
    new(name, extends, path)
    console.result(dump_object({"path": str(path)}) if as_json else str(path))


@command.command("check")
@click.argument("file")
@shared_options
@click.pass_obj
def check_target(console: Console, file: str, as_json: bool) -> int:
    """Say what is wrong with a profile: unknown keys, numbers without a source."""
    from edgecompile.config.profiles import check, load, names
    from edgecompile.core.errors import BadInputError
    from edgecompile.report.json import dump_object

    if file in names() and not Path(file).exists():
        load(file)  # raises what is wrong with it
    elif found := check(Path(file)):
        raise BadInputError(*found)
    console.say(f"`{file}` can be used: --target {file}")
    if as_json:
        console.result(dump_object({"path": file, "diagnostics": []}))
    return 0


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines within 80 columns: a name goes where the memory would stand, when there is none."""
    rows = [tuple(cell for cell in row if cell) for row in rows]
    longest = max(map(len, rows))
    widths = [max(len(row[i]) for row in rows if len(row) == longest or i < 2) for i in range(longest)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def _memory(target: Target) -> tuple[str, str]:
    """Flash and RAM with their units; empty where the profile, of a core or of a service, states none."""
    sizes = ((kind, target.capacity_bytes(kind)) for kind in ("flash", "ram"))
    flash, ram = ("" if size is None else f"{_LABELS[kind]} {_size(size)}" for kind, size in sizes)
    return flash, ram


def _size(size_bytes: int) -> str:
    """Memories are whole kibibytes as a rule: ``512 KiB``, not ``512.0 KiB``."""
    return format_size(size_bytes).replace(".00 ", " ").replace(".0 ", " ")


def _summary(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "name": target.name,
        "family": target.family,
        "description": target.description,
        "numerics": list(target.numerics),
        "flash_bytes": target.capacity_bytes("flash"),
        "ram_bytes": target.capacity_bytes("ram"),
    }


def _plain(target: Target) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(target)


def _page(target: Target) -> list[str]:
    """The profile for people; operators by name, since their clauses fill pages (`--json` has them)."""
    from edgecompile.report.table import wrap

    lines = [f"{target.id}: {target.name}", *wrap(target.description, "  "), ""]
    lines += [f"numerics   {', '.join(target.numerics)}; inputs and outputs {target.io_dtype}"]
    lines += [f"runs on    {_placement(target)}", f"emits      {', '.join(target.emit)}", f"judged by  {target.judge}"]
    if target.rewrites:
        lines += wrap(f"rewrites   {', '.join(target.rewrites)}", " " * 11, first="")
    if len(target.weight_forms) > 1:
        lines += wrap(f"weights    {', '.join(target.weight_forms)}", " " * 11, first="")
    if target.compiler is not None:
        lines += [f"compiler   {target.compiler.name}", *_source(target.compiler.source)]
    if target.runtime is not None:
        cost = f"{format_size(target.runtime.flash_bytes)} flash, {format_size(target.runtime.ram_bytes)} RAM"
        lines += [f"runtime    {target.runtime.name}, {cost}", *_source(target.runtime.source)]
    for region in target.regions:
        lines += [f"{_LABELS[region.kind]:<9}  {region.name}, {_size(region.size_bytes)}", *_source(region.source)]
    operators = f"{counted(len(target.operators), 'operator')}: {', '.join(sorted(target.operators))}"
    lines += ["", *wrap(operators, "  ", first=""), "", "Sources"]
    for name, source in target.sources.items():
        lines += wrap(f"{name}: {source}", "    ", first="  ")
    return lines


def _source(source: str) -> list[str]:
    from edgecompile.report.table import wrap

    return wrap(f"({source})", " " * 12, first=" " * 11) if source else []


def _placement(target: Target) -> str:
    placement = target.placement
    if placement.fallback is None:
        return f"{placement.accelerator} only"
    most = placement.max_partitions
    limit = "" if most is None else f", at most {most} partition{'s' if most > 1 else ''} on it"
    return f"{placement.accelerator}, the rest on {placement.fallback}{limit}"
