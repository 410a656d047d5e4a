"""What every answer depends on besides its inputs: the tool's code, the libraries, the interpreter, the processor."""

from __future__ import annotations

import platform
import sys
from functools import lru_cache
from pathlib import Path

from edgecompile.cache.fingerprint import fingerprint
from edgecompile.libs.programs import find

_SUFFIXES = (".py", ".h", ".c", ".template", ".toml")
_PROCESSOR = ("model name", "flags", "Features", "CPU implementer", "CPU part")


@lru_cache(maxsize=1)
def identity() -> str:
    """A hash that differs wherever the same inputs may give another answer.

    The tool counts by its files, not its version, so that a change to a checkout counts too; libraries by the names of
    their installed distributions, which carry versions; the processor by its kind, which decides how sums are rounded.
    """
    return fingerprint(_own_code(), _distributions(), sys.version, platform.machine(), _processor())


@lru_cache(maxsize=32)
def program(name: str) -> tuple[str, int, int] | None:
    """What tells one version of an external program from another without running it: place, size, time of change."""
    path = find(name)
    if path is None:
        return None
    place = path.resolve()
    status = place.stat()
    return str(place), status.st_size, status.st_mtime_ns


def cards() -> tuple[str, ...]:
    """The kinds of graphics cards that training may run on, by what their drivers say; asked without TensorFlow."""
    told = [path.read_text(errors="replace") for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))]
    models = [line for text in told for line in text.splitlines() if line.startswith("Model:")]
    nodes = sorted(Path("/sys/class/kfd/kfd/topology/nodes").glob("*/name"))
    return (*models, *(name for path in nodes if (name := path.read_text(errors="replace").strip())))


def _own_code() -> str:
    package = Path(__file__).resolve().parents[1]
    files = sorted(path for path in package.rglob("*") if path.suffix in _SUFFIXES)
    return fingerprint([(path.relative_to(package).as_posix(), path.read_bytes()) for path in files])


def _distributions() -> list[str]:
    found: set[str] = set()
    for entry in sys.path:
        try:
            found |= {path.name for path in Path(entry or ".").iterdir() if path.suffix in (".dist-info", ".egg-info")}
        except OSError:
            continue
    return sorted(found)


def _processor() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [platform.processor()]
    return sorted({line for line in lines if line.partition(":")[0].strip() in _PROCESSOR})
