"""`edgecompile run DIR --on arm64`: the model on an emulated ARM64 processor, held against this one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edgecompile.cli.console import Console


def run_on_arm64(
    console: Console, directory: str, inputs: str | None, save: str | None, bench: bool, as_json: bool
) -> None:
    """Run, compare, print. Raises EC104 for `--bench`, EC110 to EC112, and what ``arm64_run`` raises."""
    from edgecompile.arm64_run import run_arm64
    from edgecompile.cli.cache_place import cache_folder
    from edgecompile.cli.run_inputs import find_build, read_inputs
    from edgecompile.cli.run_outputs import save_outputs, shown
    from edgecompile.core.errors import bad_input
    from edgecompile.ir.reader import read
    from edgecompile.report.json import dump_object

    if bench:
        help = ("an emulator tells nothing about time: `--on adb` measures on a phone",)
        raise bad_input("EC104", "`--bench` needs `--on host`", "edgecompile run", help=help)
    built = find_build(directory)
    content, name = built.content, built.path.name
    main = read(content, name).main
    arrays = read_inputs(inputs, [main.tensors[index].name for index in main.inputs]) if inputs is not None else None
    ran = run_arm64(content, arrays, cache_folder(), console, name)
    named: dict[str, Any] = {
        port.name: array for port, array in zip(ran.outputs.outputs, ran.outputs.real(), strict=True)
    }
    if save is not None:
        save_outputs(save, named)
    if as_json:
        compared = {resolver: [asdict(one) for one in found] for resolver, found in ran.found.items()}
        plain = {
            "schema": 1,
            "model": str(built.path),
            "by": ran.outputs.described,
            "against": ran.against,
            "compared": compared,
        }
        console.result(dump_object({**plain, "outputs": {key: array.tolist() for key, array in named.items()}}))
        return
    dtypes = {port.name: port.dtype for port in ran.outputs.outputs}
    console.result(
        "\n".join([*ran.lines, f"by {ran.outputs.described}", f"against {ran.against}", *shown(named, dtypes)])
    )
