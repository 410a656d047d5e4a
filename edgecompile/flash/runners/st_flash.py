"""st-flash (stlink-tools): STM32 through an ST-Link probe. It compares what it wrote by itself."""

from __future__ import annotations

import re

from edgecompile.flash.task import Commands, Task

NAME, PROGRAM, NEEDS = "st-flash", "st-flash", "stlink"
READS_RESULT, VERIFIES = False, True
LIST: tuple[str, ...] = ("st-info", "--probe")
NO_PROBE = r"Couldn't find any ST-Link|Found 0 stlink"
WRONG_CHIP = r"[Uu]nknown chip id|unsupported (?:chip|device|flash)|Failed to (?:connect to target|enter SWD mode)"
DIFFERS = r"Verification of flash failed|Flash verification failed"


def commands(task: Task) -> Commands:
    """Write raw bytes to the beginning of flash, and reset."""
    serial = ("--serial", task.probe) if task.probe is not None else ()
    return (("st-flash", *serial, "--reset", "write", task.raw, f"0x{task.address:08x}"),)


def probes(text: str) -> tuple[str, ...]:
    """``serial: 066DFF...``, one for each probe."""
    return tuple(re.findall(r"^\s*serial:\s*(\S+)", text, re.MULTILINE))
