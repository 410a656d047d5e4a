"""Import a third-party library, or say how to install it."""

from __future__ import annotations

import importlib
from types import ModuleType

from edgecompile.core.errors import EdgecompileError, missing


def require(module: str, purpose: str, pip: str) -> ModuleType:
    """The imported module. Raises EC190 when it is not installed or does not load.

    ``purpose`` ends the sentence "... is not installed, needed"; ``pip`` is what to install
    (``edgecompile[keras]``).
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise missing_library(module, purpose, pip, str(error)) from error
    except ImportError as error:
        raise missing_library(module, purpose, pip, f"it is there but does not load: {error}") from error


def missing_library(module: str, purpose: str, pip: str, why: str = "") -> EdgecompileError:
    """EC190 for a library that is not installed; to be raised by the caller."""
    library = module.partition(".")[0]
    return missing(
        "EC190",
        f"the library `{library}` is not installed, needed {purpose}",
        notes=[why] if why else [],
        help=[f"install it: pip install '{pip}'"],
    )
