"""Which files of the user's own Python code this process has imported, with the hash of each."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path

_INSTALLED = ("site-packages", "dist-packages")


def imported(without: Path) -> dict[str, str]:
    """Path and SHA-256 of each module's file outside the standard library, installed packages and this package.

    ``without``: a folder whose files do not count; TensorFlow imports code there that it has written itself.
    """
    ours = Path(__file__).resolve().parents[1]
    roots = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots += [ours, without.resolve()]
    found: dict[str, str] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str):
            continue
        path = Path(file).resolve()
        if any(path.is_relative_to(root) for root in roots) or any(n in path.parts for n in _INSTALLED):
            continue
        if path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
