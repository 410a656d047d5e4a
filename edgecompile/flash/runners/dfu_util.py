"""dfu-util: the boot loader in the chip's ROM, over the chip's own USB port.

"USB Device Class Specification for Device Firmware Upgrade" 1.1 with ST's extensions (DfuSe).
"""

from __future__ import annotations

import re

from edgecompile.flash.task import Commands, Task

NAME, PROGRAM, NEEDS = "dfu-util", "dfu-util", "dfu"
READS_RESULT, VERIFIES = False, False
LIST: tuple[str, ...] = ("dfu-util", "--list")
NO_PROBE = r"No DFU capable USB device available"
WRONG_CHIP = r"Last page at .* is not writeable|not writeable|Page at .* can not be erased|address .* out of range"
DIFFERS = r"(?!)"


def commands(task: Task) -> Commands:
    """Write raw bytes to the beginning of flash, and leave the boot loader."""
    serial = ("--serial", task.probe) if task.probe is not None else ()
    where = f"0x{task.address:08x}:leave"
    return (("dfu-util", *serial, "--alt", "0", "--dfuse-address", where, "--download", task.raw),)


def probes(text: str) -> tuple[str, ...]:
    """``Found DFU: [0483:df11] ... serial="3275"``: each serial number once."""
    return tuple(dict.fromkeys(re.findall(r'^Found DFU: .*serial="([^"]*)"', text, re.MULTILINE)))
