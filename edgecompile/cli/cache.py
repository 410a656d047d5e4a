"""Where the tool keeps what it downloads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """EDGECOMPILE_CACHE, else ``edgecompile`` in XDG_CACHE_HOME, else in ``~/.cache``."""
    named = environment.get("EDGECOMPILE_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "edgecompile"
