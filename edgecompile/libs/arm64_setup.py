"""What runs an ARM64 interpreter on another processor: a Debian root, never started, and wheels, in a cache folder.

The root holds only what an ARM64 Python needs to start; programs in it run under ``qemu-aarch64-static``. Versions
are those known to run there: LiteRT 2.2.0 and 2.3.0 crash under QEMU 7.2.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, missing
from edgecompile.libs.programs import Finished, find, missing_program, run

QEMU = "qemu-aarch64-static"
_SUITE = "bookworm"
_PACKAGES = (
    *("libc6", "libstdc++6", "libgcc-s1", "zlib1g", "libexpat1", "libffi8", "libbz2-1.0", "liblzma5", "libssl3"),
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
)
# Interpreter: version, in the order in which they are asked. NumPy 1.26 is the last that tflite-runtime 2.14 takes.
RUNTIMES = {"ai-edge-litert": "2.1.6", "tflite-runtime": "2.14.0"}
_WHEELS = (*(f"{name}=={version}" for name, version in RUNTIMES.items()), "numpy==1.26.4")
_PLATFORMS = (*(f"manylinux_2_{minor}_aarch64" for minor in (34, 28, 27, 17)), "manylinux2014_aarch64")
_SCHEMA = 1
_TIMEOUT_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Arm64:
    """A set-up: ``root`` is the Debian root, ``site`` the unpacked wheels."""

    root: Path
    site: Path

    @property
    def python(self) -> Path:
        """The ARM64 Python."""
        return self.root / "usr/bin/python3.11"


def place(cache: Path) -> Arm64:
    """Where a set-up is or would be, under the tool's cache folder."""
    folder = cache / f"arm64-{_SCHEMA}"
    return Arm64(root=folder / "root", site=folder / "site")


def is_ready(cache: Path) -> bool:
    """Whether it was set up, with the versions that this release wants."""
    stamp = place(cache).root.parent / "ready.json"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _stamp()


def ready(cache: Path) -> Arm64:
    """The set-up. Raises MissingError EC191 without QEMU, EC770 where it was not set up."""
    if find(QEMU) is None:
        raise missing_program(QEMU, "to run ARM64 programs here")
    if not is_ready(cache):
        raise missing(
            "EC770",
            "the ARM64 runtime is not set up",
            notes=(f"looked in {place(cache).root.parent}",),
            help=("set it up, once: edgecompile doctor --install arm64",),
        )
    return place(cache)


def install(cache: Path, say: Callable[[str], None]) -> Arm64:
    """Set it up anew: it appears whole or not at all.

    Raises MissingError EC191 without QEMU or mmdebstrap, EC771 when packages or wheels cannot be had.
    """
    for program in (QEMU, "mmdebstrap"):
        if find(program) is None:
            raise missing_program(program, "to set up the ARM64 runtime")
    target = place(cache).root.parent
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="arm64-", dir=cache) as name:
        folder = Path(name) / "whole"
        folder.mkdir()
        say(f"unpacking {len(_PACKAGES)} ARM64 packages of Debian {_SUITE}")
        _unpack_root(folder / "root")
        say(f"downloading {', '.join(_WHEELS)} for ARM64")
        _unpack_wheels(folder / "site", Path(name) / "wheels")
        (folder / "ready.json").write_text(_stamp(), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    return place(cache)


def _stamp() -> str:
    return json.dumps({"schema": _SCHEMA, "suite": _SUITE, "packages": _PACKAGES, "wheels": _WHEELS})


def _unpack_root(root: Path) -> None:
    words = ["--variant=extract", "--mode=chrootless", "--arch=arm64", f"--include={','.join(_PACKAGES)}"]
    done = run(["mmdebstrap", "--quiet", *words, _SUITE, root], _TIMEOUT_S)
    if done.returncode != 0:
        raise _failed("Debian's ARM64 packages could not be unpacked", done)


def _unpack_wheels(site: Path, wheels: Path) -> None:
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    which = ["--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", *platforms]
    words = ["-m", "pip", "download", "--quiet", "--no-deps", *which, "--dest", str(wheels), *_WHEELS]
    done = run([sys.executable, *words], _TIMEOUT_S)
    if done.returncode != 0:
        raise _failed("wheels for ARM64 could not be downloaded", done)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def _failed(message: str, done: Finished) -> EdgecompileError:
    said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")][-4:]
    how = "took too long" if done.timed_out else f"ended with exit code {done.returncode}"
    return missing(
        "EC771",
        message,
        notes=(f"`{done.argv[0]}` {how}", *said),
        help=("it needs a package mirror of Debian and an index of Python packages: try again where both are reached",),
    )
