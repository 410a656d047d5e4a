"""OpenOCD: nearly every probe and chip; the profile names its configuration files.

"OpenOCD User's Guide" 0.12, sections Flash Programming (`program`) and Architecture and Core Commands (semihosting).
Without a debugger attached it ends by itself when the program calls exit, with the program's code.
"""

from __future__ import annotations

from edgecompile.flash.task import Commands, Task

NAME, PROGRAM, NEEDS = "openocd", "openocd", "openocd"
READS_RESULT, VERIFIES = True, True
LIST: tuple[str, ...] = ()
NO_PROBE = (
    r"Error: open failed|unable to find a matching|No J-Link device found|unable to open ftdi|Error: No device found"
)
WRONG_CHIP = r"UNEXPECTED|Cannot identify target|unknown (?:flash )?device|device id .* not (?:recognized|supported)"
DIFFERS = r"\*\* Verify Failed \*\*|checksum mismatch|contents differ"


def commands(task: Task) -> Commands:
    """One call; configuration, probe, program, and where asked for the run with semihosting."""
    words = ["openocd"]
    for file in task.board["openocd"]:
        words += ["-f", file]
    if task.probe is not None:
        words += ["-c", f"adapter serial {task.probe}"]
    program = f"program {{{task.elf}}}" + (" verify" if task.verify else "")
    if not task.run:
        return ((*words, "-c", f"{program} reset exit"),)
    return ((*words, "-c", program, "-c", "reset halt", "-c", "arm semihosting enable", "-c", "resume"),)


def probes(text: str) -> tuple[str, ...]:
    """It has no command that lists probes."""
    return ()
