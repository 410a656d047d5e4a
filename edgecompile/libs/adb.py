"""The door to an attached Android device: which one, putting files there, running a program on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, missing
from edgecompile.libs.programs import Finished, run

# Where every user of adb may write and execute.
FOLDER = "/data/local/tmp/edgecompile"
_QUICK_S = 60.0
_WHY_NOT = {
    "unauthorized": "unlock it, and allow debugging in the dialogue that it shows",
    "offline": "attach it anew, or: adb reconnect",
    "no permissions": "add udev rules for it (Debian: apt-get install android-sdk-platform-tools-common)",
}


@dataclass(frozen=True, kw_only=True)
class Device:
    """An attached device that takes commands: its serial number, model and API level."""

    serial: str
    model: str
    level: str

    def __str__(self) -> str:
        return f"{self.model} (API level {self.level})"


def find_device(serial: str | None = None) -> Device:
    """The one device, or the one named. Raises MissingError EC191 without adb, EC774 when none can be used."""
    listed = _adb(None, ["devices"]).stdout.splitlines()[1:]
    states = dict(line.split("\t", 1) for line in listed if "\t" in line)
    usable = [name for name, state in states.items() if state.split()[0] == "device" and serial in (None, name)]
    if len(usable) != 1:
        raise _no_device(states, usable, serial)
    name = usable[0]
    model, level = (
        _adb(name, ["shell", "getprop", key]).stdout.strip() for key in ("ro.product.model", "ro.build.version.sdk")
    )
    return Device(serial=name, model=model or "unknown model", level=level or "unknown")


def push(device: Device, file: Path, name: str) -> str:
    """Put a file into :data:`FOLDER`; gives its path there. Raises MissingError EC775."""
    done = _adb(device.serial, ["push", str(file), f"{FOLDER}/{name}"])
    if done.returncode != 0:
        raise failed("a file could not be put on the device", done)
    return f"{FOLDER}/{name}"


def shell(device: Device, words: Sequence[str], timeout_s: float = _QUICK_S) -> Finished:
    """Run words of plain characters on the device: its shell reads them once more."""
    return _adb(device.serial, ["shell", *words], timeout_s)


def failed(message: str, done: Finished) -> EdgecompileError:
    """EC775: a command of adb's that did not end well; to be raised by the caller."""
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-4:]
    how = "took too long" if done.timed_out else f"ended with exit code {done.returncode}"
    return missing(
        "EC775", message, notes=(f"`{' '.join(done.argv)}` {how}", *said), help=("run the command by hand to see more",)
    )


def _adb(serial: str | None, words: Sequence[str], timeout_s: float = _QUICK_S) -> Finished:
    which = ["-s", serial] if serial else []
    return run(["adb", *which, *words], timeout_s, purpose="to reach an Android device")


def _no_device(states: dict[str, str], usable: Sequence[str], serial: str | None) -> EdgecompileError:
    found = ", ".join(f"{name} ({state})" for name, state in states.items()) or "none"
    help = (
        ["name one: --device SERIAL"] if len(usable) > 1 else ["attach one, with USB debugging on (developer options)"]
    )
    help += [advice for state, advice in _WHY_NOT.items() if any(state in found for found in states.values())]
    which = f"the device `{serial}` cannot be used" if serial else "there is not one Android device to use"
    return missing("EC774", which, notes=("limit: one device in the state `device`", f"found: {found}"), help=help)
