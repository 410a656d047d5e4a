"""pyOCD (`pip install edgecompile[pyocd]`): CMSIS-DAP, ST-Link and J-Link probes; chips that it has or finds in a pack.

`pyocd load`, `pyocd cmd` (`compare`) and `pyocd run` of version 0.36 and later; the self-test ends its output with
EOT, at which `run --eot` stops.
"""

from __future__ import annotations

import re

from edgecompile.flash.task import Commands, Task

NAME, PROGRAM, NEEDS = "pyocd", "pyocd", "pyocd"
READS_RESULT, VERIFIES = True, True
LIST: tuple[str, ...] = ("pyocd", "list", "--probes", "--no-header")
NO_PROBE = r"No available debug probes|No connected debug probes|No probe selected|No probes? (?:found|connected)"
WRONG_CHIP = r"Target type .* not recognized|No ACK|IDCODE .*mismatch|unexpected .*IDCODE"
DIFFERS = r"[Mm]ismatch"


def commands(task: Task) -> Commands:
    """Load; then compare and run where asked for."""
    chip = ("-t", task.board["pyocd"], *(("-u", task.probe) if task.probe is not None else ()), "--no-wait")
    found: list[tuple[str, ...]] = [("pyocd", "load", *chip, task.elf)]
    if task.verify:
        found.append(("pyocd", "cmd", *chip, "-c", f'compare 0x{task.address:08x} "{task.raw}"'))
    if task.run:
        found.append(("pyocd", "run", *chip, "--eot", "--timelimit", f"{task.timeout_s:g}"))
    return tuple(found)


def probes(text: str) -> tuple[str, ...]:
    """Lines of a table: number, description, unique id, target."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return tuple(f"{row[2]} ({row[1]})" for row in rows if len(row) >= 3 and row[0].isdigit())
