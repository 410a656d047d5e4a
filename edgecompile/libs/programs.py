"""Find and run external programs: compilers, emulators, flash tools."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, missing

# Debian and Ubuntu packages of the programs this compiler can use.
_PACKAGES: Mapping[str, str] = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "arm-none-eabi-objdump": "binutils-arm-none-eabi",
    "arm-none-eabi-nm": "binutils-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "make": "make",
    "gcc": "gcc",
    "cc": "gcc",
    "clang": "clang",
    "openocd": "openocd",
    "st-flash": "stlink-tools",
    "dfu-util": "dfu-util",
    "adb": "adb",
    "qemu-aarch64-static": "qemu-user-static",
    "mmdebstrap": "mmdebstrap",
}


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A program that ran: its exit code (``-n``: killed by signal n) and what it wrote, as text.

    ``timed_out``: it was ended because it took too long; the output is what it had written.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False


def find(name: str) -> Path | None:
    """Where the program is: on the search path, else beside the Python that runs, where pip puts programs; or None."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found) if found else None


def missing_program(name: str, purpose: str = "") -> EdgecompileError:
    """EC191 for a program that is not installed, with the command that installs it; to be raised by the caller."""
    package = _PACKAGES.get(name)
    wanted = f", needed {purpose}" if purpose else ""
    help = f"install it: sudo apt-get install {package}" if package else f"install `{name}` and put it on the PATH"
    return missing("EC191", f"the program `{name}` is not installed{wanted}", help=[help])


def run(
    argv: Sequence[str | Path],
    timeout_s: float,
    *,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    purpose: str = "",
) -> Finished:
    """Run a program to its end, or to ``timeout_s``, when it and all it started are killed.

    Output that is not UTF-8 is kept readable with replacement characters. ``purpose`` ends the
    sentence "... is not installed, needed". Raises EC191 when the program is not there.
    """
    words = tuple(str(word) for word in argv)
    program = find(words[0])
    if program is None:
        raise missing_program(words[0], purpose)
    process = subprocess.Popen(
        [str(program), *words[1:]],
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    timed_out = False
    try:
        out, err = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        timed_out = True
        _kill(process)
        out, err = process.communicate()
    except BaseException:
        _kill(process)
        process.wait()
        raise
    return Finished(
        argv=words,
        returncode=process.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
        timed_out=timed_out,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
