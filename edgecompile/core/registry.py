"""Find things that are added often by scanning their package: one file each, no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def modules_of(package: str) -> tuple[ModuleType, ...]:
    """Public modules of a package, imported, in name order (names with ``_`` in front are left out)."""
    return tuple(module_of(package, name) for name in names_of(package))


@cache
def names_of(package: str) -> tuple[str, ...]:
    """Names of a package's public modules, in order; none of them is imported."""
    parent = importlib.import_module(package)
    return tuple(sorted(info.name for info in pkgutil.iter_modules(parent.__path__) if not info.name.startswith("_")))


def module_of(package: str, name: str) -> ModuleType:
    """One module of a package, imported."""
    return importlib.import_module(f"{package}.{name}")
