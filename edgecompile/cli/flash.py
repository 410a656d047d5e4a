"""`edgecompile flash DIR`: put what was built on the board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options

if TYPE_CHECKING:
    from edgecompile.core.target import Target


@click.command("flash", short_help="Put what was built on the board.")
@click.argument("directory", metavar="DIR")
@click.option("--runner", metavar="NAME", help="The flash tool, in place of the one that the board's profile names.")
@click.option("--probe", metavar="ID", help="Which probe (or drive, for uf2), where there are several.")
@click.option("--list", "listing", is_flag=True, help="Show the runners, which are installed, and the probes found.")
@click.option("--dry-run", is_flag=True, help="Print the commands and run none.")
@click.option("--verify", is_flag=True, help="Read back what was written and compare.")
@click.option("--run", "run", is_flag=True, help="Flash the self-test, start it and read its result.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds to wait for the result."
)
@shared_options
@click.pass_obj
def command(
    console: Console,
    directory: str,
    runner: str | None,
    probe: str | None,
    listing: bool,
    dry_run: bool,
    verify: bool,
    run: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Put what was built on the board.

    DIR is the folder that a build wrote for one board. The image is built from its firmware project with the Arm
    cross compiler. Each command is printed before it runs. The runner qemu needs no board: it runs the self-test on
    an emulated one.
    """
    from edgecompile.cli.run_inputs import find_build
    from edgecompile.config.profiles import load
    from edgecompile.core.errors import bad_input
    from edgecompile.flash.flash import execute, plan, shown
    from edgecompile.report.json import dump_object

    built = find_build(directory)
    if not built.target:
        help = ("name the folder that a build for a board wrote",)
        raise bad_input("EC110", f"`{directory}` is no folder of a build", directory, help=help)
    target = load(built.target)
    if listing:
        found = _listed(target)
        console.result(dump_object({"schema": 1, "runners": found}) if as_json else _table(found))
        return
    planned = plan(Path(directory), target, runner=runner, probe=probe, verify=verify, run=run, timeout_s=timeout)
    lines = [shown(words) for words in (planned.build, *planned.commands)]
    whole: dict[str, Any] = {"schema": 1, "target": target.id, "runner": planned.runner, "commands": lines}
    if dry_run:
        console.result(dump_object({**whole, "dry_run": True}) if as_json else "\n".join(lines))
        return
    result = execute(planned, console.say)
    if as_json:
        console.result(dump_object({**whole, "dry_run": False, "self_test": result or None}))
    else:
        console.result(result or f"{planned.task.elf} is on {target.name}")


def _listed(target: Target) -> list[dict[str, Any]]:
    from edgecompile.flash.flash import probes, runners
    from edgecompile.libs.programs import find

    found = []
    for name, module in runners().items():
        program = find(module.PROGRAM)
        found.append(
            {
                "name": name,
                "default": name == target.board.get("runner"),
                "for_this_board": module.NEEDS in target.board,
                "program": str(program) if program else None,
                "probes": probes(name),
            }
        )
    return found


_LEGEND = (
    "default: the runner that the board's profile names; fits: another that knows it;",
    "-: needs what the profile's [board] does not have",
)


def _table(found: list[dict[str, Any]]) -> str:
    lines = [f"{'runner':<10} {'board':<8} program"]
    for one in found:
        fits = "default" if one["default"] else "fits" if one["for_this_board"] else "-"
        lines.append(f"{one['name']:<10} {fits:<8} {one['program'] or 'not installed'}")
        lines += [f"{'':<10} {'':<8}   probe {probe}" for probe in one["probes"] or ()]
        if one["probes"] is not None and not one["probes"]:
            lines.append(f"{'':<10} {'':<8}   no probe found")
    return "\n".join([*lines, "", *_LEGEND])
