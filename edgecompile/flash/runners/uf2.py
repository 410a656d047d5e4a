"""UF2: copy a file to the drive that the chip's boot loader shows ("UF2 file format", Microsoft; INFO_UF2.TXT)."""

from __future__ import annotations

import re
from pathlib import Path

from edgecompile.flash import uf2_file
from edgecompile.flash.task import Commands, Task

NAME, PROGRAM, NEEDS = "uf2", "cp", "uf2_family"
READS_RESULT, VERIFIES = False, False
LIST: tuple[str, ...] = ()
NO_PROBE = r"cannot create regular file|No such file or directory"
WRONG_CHIP = r"(?!)"
DIFFERS = r"(?!)"
# Where desktops mount drives: /media/USER/DRIVE, /run/media/USER/DRIVE, /Volumes/DRIVE, and by hand.
ROOTS = ("/media/*/*", "/media/*", "/run/media/*/*", "/Volumes/*", "/mnt/*")
# Stands for the drive while there is none.
NO_DRIVE = "UF2-DRIVE"


def prepare(task: Task) -> None:
    """Write the ``.uf2`` beside the raw image."""
    content = uf2_file.write(Path(task.raw).read_bytes(), task.address, int(task.board["uf2_family"]))
    Path(f"{task.image}.uf2").write_bytes(content)


def commands(task: Task) -> Commands:
    """Copy; ``task.probe`` names the drive."""
    drives = drives_there()
    drive = task.probe or (str(drives[0]) if len(drives) == 1 else NO_DRIVE)
    return (("cp", f"{task.image}.uf2", f"{drive}/"),)


def drives_there() -> list[Path]:
    """Mounted drives of boot loaders."""
    there = {file.parent for root in ROOTS for file in Path("/").glob(f"{root.lstrip('/')}/INFO_UF2.TXT")}
    return sorted(there)


def probes(text: str) -> tuple[str, ...]:
    """Drives, with the board that each says it is."""
    return tuple(f"{drive} ({_board(drive)})" for drive in drives_there())


def _board(drive: Path) -> str:
    found = re.search(r"^Board-ID:\s*(\S+)", (drive / "INFO_UF2.TXT").read_text(errors="replace"), re.MULTILINE)
    return found[1] if found else "no Board-ID"
