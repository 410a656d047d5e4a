"""The instruction counter: a QEMU plugin, compiled once on this machine and kept."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from importlib.resources import files
from pathlib import Path

from edgecompile.libs import programs

COMPILERS = ("gcc", "cc", "clang")
_COMPILE_S = 60.0


def plugin() -> Path | None:
    """The compiled plugin; None where there is no C compiler, or QEMU's interface is one it cannot be compiled for."""
    cc, version = next((name for name in COMPILERS if programs.find(name)), None), qemu_version()
    if cc is None or version is None:
        return None
    source = files("edgecompile.measure.board").joinpath("counter.c").read_text(encoding="ascii")
    # QEMU 9 takes interface 2 and later, those before take 1 and up to their own; what is used here is in all.
    flags = [f"-DPLUGIN_VERSION={1 if version < (9, 0) else 2}", "-O2", "-shared", "-fPIC"]
    key = hashlib.sha256("\n".join([source, cc, str(version), *flags]).encode()).hexdigest()[:16]
    folder = _cache()
    kept = folder / f"counter-{key}.so"
    if kept.is_file():
        return kept
    with tempfile.TemporaryDirectory(dir=folder) as made:
        place = Path(made)
        (place / "counter.c").write_text(source, encoding="ascii")
        done = programs.run([cc, *flags, place / "counter.c", "-o", place / "counter.so"], _COMPILE_S)
        if done.returncode != 0:
            return None
        os.replace(place / "counter.so", kept)
    return kept


def qemu_version() -> tuple[int, int] | None:
    """Major and minor version of the installed qemu-system-arm, None without one."""
    if programs.find("qemu-system-arm") is None:
        return None
    found = re.search(r"version (\d+)\.(\d+)", programs.run(["qemu-system-arm", "--version"], 30.0).stdout)
    return (int(found[1]), int(found[2])) if found else None


def _cache() -> Path:
    """A folder of this user alone: what is loaded from it runs in QEMU."""
    folder = Path(tempfile.gettempdir()) / f"edgecompile-counter-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="edgecompile-counter-"))
    return folder
