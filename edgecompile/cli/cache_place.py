"""Where the tool keeps what it downloads and what builds found out, and how much of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgecompile.core.errors import bad_input
from edgecompile.core.units import parse_size

if TYPE_CHECKING:
    from edgecompile.cache.store import Store
    from edgecompile.cli.console import Console

# What the libraries of a build read from the environment, and what decides which code is imported.
_HEEDED = ("TF_", "OMP_", "MKL_", "KERAS_", "XLA_", "PYTHON", "CUDA_", "HIP_", "ROCR_")


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """EDGECOMPILE_CACHE, else ``edgecompile`` in XDG_CACHE_HOME, else in ``~/.cache``."""
    named = environment.get("EDGECOMPILE_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    home = environment.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "edgecompile"


def cache_limit(environment: Mapping[str, str] = os.environ) -> int:
    """Bytes that the cache may take: EDGECOMPILE_CACHE_SIZE, else 2 GiB. Raises EC823 for what is no size."""
    from edgecompile.cache.bound import USUAL_LIMIT_BYTES

    named = environment.get("EDGECOMPILE_CACHE_SIZE")
    return size_of(named, "EDGECOMPILE_CACHE_SIZE") if named else USUAL_LIMIT_BYTES


def setting_of(environment: Mapping[str, str]) -> str:
    """What of an environment decides the results of a build that runs in it."""
    return repr(sorted(item for item in environment.items() if item[0].startswith(_HEEDED)))


def size_of(text: str, what: str) -> int:
    """Bytes. Raises EC823 for what is no size."""
    try:
        return parse_size(text)
    except ValueError:
        raise bad_input(
            "EC823",
            f"`{text}` is no size for the cache",
            what,
            help=("write a number of bytes, or one with a unit: `500 MiB`, `2 GiB`",),
        ) from None


@contextmanager
def keeping(console: Console, without: bool, environment: Mapping[str, str] = os.environ) -> Iterator[Store | None]:
    """What earlier builds found out, None where it shall not be used; afterwards it is within its bound again.

    What went wrong with it is told on the console: it is no part of any report. What is temporary lies in one folder
    meanwhile, and folders of builds that were killed go.
    """
    from edgecompile.cache.bound import prune
    from edgecompile.cache.store import Store
    from edgecompile.libs.scratch import scratch

    if without:
        with scratch():
            yield None
        return
    store = Store(
        folder=cache_folder(environment), limit_bytes=cache_limit(environment), setting=setting_of(environment)
    )
    try:
        with scratch():
            yield store
    finally:
        prune(store.folder, store.limit_bytes)
        console.diagnostics(store.said.values())
