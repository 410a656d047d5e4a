"""The only door to the TFLite flatbuffer schema: its object API, what its tables hold, and a Builder.

The schema is Python code that flatc generated. It is loaded from its file, not imported as part
of its package: ``import ai_edge_litert`` loads a runtime into the process, ``import tensorflow``
takes seconds, and the generated code needs neither.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from edgecompile.libs.libraries import missing_library, require

FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3

# Package and the schema's place in it, the newest schema first.
PLACES = (
    ("ai_edge_litert", "schema_py_generated.py"),
    ("tensorflow", "lite/python/schema_py_generated.py"),
)
_WHY = "to read and write .tflite files"


@cache
def schema() -> ModuleType:
    """The generated module (``ModelT``, ``TensorT``, ``BuiltinOperator``, ...), loaded once.

    Raises EC190 when neither ai-edge-litert nor TensorFlow is installed.
    """
    require("flatbuffers", _WHY, "ai-edge-litert")
    for package, relative in PLACES:
        path = _find(package, relative)
        if path is not None:
            return _load(path, package)
    raise missing_library("ai_edge_litert", _WHY, "ai-edge-litert")


@cache
def names_of(enumeration: str) -> Mapping[int, str]:
    """Names of an enumeration by value: ``names_of("Padding")`` is ``{0: "SAME", 1: "VALID"}``."""
    members = vars(getattr(schema(), enumeration)).items()
    return MappingProxyType({value: key for key, value in members if isinstance(value, int)})


@cache
def values_of(enumeration: str) -> Mapping[str, int]:
    """The inverse of :func:`names_of`."""
    return MappingProxyType({key: value for value, key in names_of(enumeration).items()})


def new(table: str) -> Any:
    """An empty object of a table, all fields at their defaults: ``new("Tensor")`` is a ``TensorT``."""
    return getattr(schema(), f"{table}T")()


def table_of(value: Any) -> str:
    """The table's name of an object: ``Conv2DOptions`` for a ``Conv2DOptionsT``."""
    return type(value).__name__[:-1]


def builder(size_bytes: int = 1024) -> Any:
    """A flatbuffers ``Builder`` with room for so many bytes before it grows."""
    schema()
    import flatbuffers

    return flatbuffers.Builder(size_bytes)


def _find(package: str, relative: str) -> Path | None:
    found = importlib.util.find_spec(package)
    folders = (found.submodule_search_locations or []) if found else []
    return next((path for folder in folders if (path := Path(folder) / relative).is_file()), None)


def _load(path: Path, package: str) -> ModuleType:
    name = f"_edgecompile_schema_of_{package}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise missing_library(package, _WHY, "ai-edge-litert", f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    # Registered first, as an import does: copy and pickle of raw objects look the module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
