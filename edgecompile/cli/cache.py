"""`edgecompile cache`: what builds left for the next ones, how much it takes, and how to be rid of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.cache_place import cache_folder, cache_limit, size_of
from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.core.units import counted, format_size, group

if TYPE_CHECKING:
    from edgecompile.cache.bound import Piece

_TOLD = {"stages": "results of stages", "training": "training runs"}


@click.group("cache", invoke_without_command=True, short_help="Show or clear what builds keep for the next ones.")
@shared_options
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show where results of earlier builds are kept, how many there are, and what they take.

    They are in EDGECOMPILE_CACHE, else in XDG_CACHE_HOME, else in ~/.cache. What was used longest ago goes when they
    take more than EDGECOMPILE_CACHE_SIZE (2 GiB). A result is used again while the model, the data, your own modules,
    the recipe, edgecompile, its libraries and the processor are the same; files that your code reads by itself are
    not seen, and `build --no-cache` does everything anew.
    """
    if context.invoked_subcommand is None:
        from edgecompile.cache.bound import pieces

        folder = cache_folder()
        _tell(context.obj, folder, pieces(folder), as_json)


@command.command("clear", short_help="Remove all of it.")
@shared_options
@click.pass_obj
def clear(console: Console, as_json: bool) -> None:
    """Remove everything that builds have kept. Builds that run meanwhile are not disturbed."""
    _prune(console, 0, as_json)


@command.command("prune", short_help="Remove what was used longest ago.")
@click.option("--max", "most", metavar="SIZE", help="What may stay, such as `500 MiB`.  [default: the usual bound]")
@shared_options
@click.pass_obj
def prune(console: Console, most: str | None, as_json: bool) -> None:
    """Remove what was used longest ago, until what is left takes no more than a size."""
    _prune(console, cache_limit() if most is None else size_of(most, "--max"), as_json)


def _prune(console: Console, limit_bytes: int, as_json: bool) -> None:
    from edgecompile.cache import bound
    from edgecompile.report.json import dump_object

    gone = bound.prune(cache_folder(), limit_bytes)
    removed = {"removed": len(gone), "removed_bytes": sum(piece.size_bytes for piece in gone)}
    if as_json:
        console.result(dump_object({"folder": str(cache_folder()), **removed}))
    else:
        console.result(
            f"removed {counted(removed['removed'], 'entry', 'entries')}, {format_size(removed['removed_bytes'])}"
        )


def _tell(console: Console, folder: Path, found: Sequence[Piece], as_json: bool) -> None:
    from edgecompile.report.json import dump_object

    limit = cache_limit()
    total = sum(piece.size_bytes for piece in found)
    kinds: dict[str, dict[str, Any]] = {
        kind: {
            "entries": sum(piece.kind == kind for piece in found),
            "size_bytes": sum(piece.size_bytes for piece in found if piece.kind == kind),
        }
        for kind in _TOLD
    }
    if as_json:
        whole = {"folder": str(folder), "limit_bytes": limit, "size_bytes": total, **kinds}
        console.result(dump_object(whole))
        return
    lines = [f"{folder}", f"  {'':<20} entries  size"]
    rows = [(_TOLD[kind], row["entries"], format_size(row["size_bytes"])) for kind, row in kinds.items()]
    rows.append(("together", len(found), f"{format_size(total)} of {format_size(limit)} at most"))
    lines += [f"  {name:<20} {group(entries):>7}  {size}" for name, entries, size in rows]
    console.result("\n".join(lines))
