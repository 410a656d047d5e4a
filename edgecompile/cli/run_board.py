"""`edgecompile run DIR --on qemu`: the firmware on an emulated board."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecompile.cli.console import Console

if TYPE_CHECKING:
    from edgecompile.board_run import BoardRun

_LABELS = {
    "instructions": "instructions",
    "flash_bytes": "flash, bytes",
    "ram_bytes": "RAM, bytes",
    "stack_bytes": "stack, bytes",
}


def run_board(
    console: Console,
    directory: str,
    inputs: str | None,
    save: str | None,
    bench: bool,
    profile: bool,
    as_json: bool,
) -> None:
    """Build, run, print.

    Raises EC104 for options that belong to the host, EC110 to EC112, and what ``board_run`` raises.
    """
    from edgecompile.board_run import run_on_board
    from edgecompile.cli.run_inputs import find_build, read_inputs
    from edgecompile.cli.run_outputs import save_outputs, shown
    from edgecompile.cli.run_sound import clip_of, is_sound
    from edgecompile.config.profiles import load
    from edgecompile.core.errors import bad_input
    from edgecompile.ir.reader import read
    from edgecompile.report.json import dump_object

    if bench:
        help = ("instructions are counted at each run on qemu; `--profile` has them by operator",)
        raise bad_input("EC104", "`--bench` needs `--on host`", "edgecompile run", help=help)
    built = find_build(directory)
    if not built.target:
        help = ("name the folder that a build for a board wrote",)
        raise bad_input("EC110", f"`{directory}` is no folder of a build", directory, help=help)
    network = read(built.content, built.path.name)
    names = [network.main.tensors[index].name for index in network.main.inputs]
    hears = inputs is not None and is_sound(inputs)
    clip = clip_of(inputs, built.data) if inputs is not None and hears else None
    arrays = read_inputs(inputs, names) if inputs is not None and not hears else None
    console.begin("run", built.path.name)
    ran = run_on_board(Path(directory), load(built.target), network, arrays, clip=clip, profile=profile)
    console.end(ran.described)
    if save is not None and ran.outputs is not None:
        save_outputs(save, ran.outputs)
    if as_json:
        console.result(dump_object(_plain(str(built.path), ran)))
        return
    dtypes = {network.main.tensors[index].name: network.main.tensors[index].dtype for index in network.main.outputs}
    console.result(
        "\n".join([*_lines(ran), *(shown(ran.outputs, dtypes, built.labels) if ran.outputs is not None else [])])
    )


def _plain(model: str, ran: BoardRun) -> dict[str, Any]:
    plain: dict[str, Any] = {"schema": 1, "model": model, "by": ran.described, "self_test": ran.self_test or None}
    plain["measures"] = [asdict(measure) for measure in ran.measures]
    plain["profile"] = [asdict(cost) for cost in ran.operators] or None
    if ran.operators:
        plain["shared_flash_bytes"] = ran.shared_flash_bytes
    if ran.outputs is not None:
        plain["outputs"] = {name: array.tolist() for name, array in ran.outputs.items()}
    return plain


def _lines(ran: BoardRun) -> list[str]:
    from edgecompile.core.units import group

    lines = [
        ran.self_test.removeprefix("edgecompile ") or "no self-test: the build had nothing to compute golden values"
    ]
    for measure in ran.measures:
        value = "unknown" if measure.value is None else group(int(measure.value))
        lines.append(f"{_LABELS[measure.name]:<14} {value:>12}")
    return [*lines, *_by_operator(ran)] if ran.operators else lines


_SHARED = "shared by several"


def _by_operator(ran: BoardRun) -> list[str]:
    """A table of what each operator takes."""
    from edgecompile.core.units import group

    def number(value: int | None) -> str:
        return "-" if value is None else group(value)

    total = sum(cost.instructions for cost in ran.operators) or 1
    width = max(len(_SHARED), *(len(cost.label) for cost in ran.operators))
    lines = [f"  # {'operator':<{width}} {'instructions':>12}         {'flash':>9} {'RAM':>8} {'stack':>7}"]
    for cost in ran.operators:
        takes = f"{number(cost.flash_bytes):>9} {number(cost.ram_bytes):>8} {number(cost.stack_bytes):>7}"
        share = f"{100 * cost.instructions / total:5.1f} %"
        lines.append(f"{cost.operator:>3} {cost.label:<{width}} {group(cost.instructions):>12} {share} {takes}")
    if ran.shared_flash_bytes:
        lines.append(f"    {_SHARED:<{width}} {'':>12}         {group(ran.shared_flash_bytes):>9}")
    return lines
