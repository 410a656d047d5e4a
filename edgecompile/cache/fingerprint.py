"""One hash over values of many kinds: equal values give equal hashes, and no two readings of the parts do."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


def fingerprint(*parts: Any) -> str:
    """A hash over text, bytes, numbers, arrays, and tuples, lists, mappings and dataclasses of them.

    Mappings count by their keys, not by their order; fields that do not count where dataclasses are compared do not
    count here. Raises TypeError for any other kind: what cannot be told apart
    by content must not be a key.
    """
    digest = hashlib.sha256()
    _take(digest, parts)
    return digest.hexdigest()


def of_files(folder: Path) -> str:
    """A hash over the names and contents of all files under a folder, links followed."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        _take(digest, (path.relative_to(folder).as_posix(), path.read_bytes()))
    return digest.hexdigest()


def of_file(path: Path) -> str | None:
    """A hash over a file's content; None where it cannot be read, or is no file: a pipe would be waited for."""
    try:
        if not path.is_file():
            return None
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _take(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("an array of objects has no fingerprint")
        _mark(digest, "array", f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    elif isinstance(value, bytes):
        _mark(digest, "bytes", value)
    elif value is None or isinstance(value, (bool, int, float, str, Enum)):
        _mark(digest, type(value).__name__, repr(value).encode())
    elif isinstance(value, Path):
        _mark(digest, "path", str(value).encode())
    elif isinstance(value, (tuple, list)):
        _mark(digest, "list", str(len(value)).encode())
        for entry in value:
            _take(digest, entry)
    elif isinstance(value, (Mapping, frozenset)):
        _take_unordered(digest, value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _mark(digest, "dataclass", type(value).__qualname__.encode())
        for field in dataclasses.fields(value):
            if field.compare:
                _take(digest, (field.name, getattr(value, field.name)))
    else:
        raise TypeError(f"a value of {type(value).__qualname__} has no fingerprint")


def _take_unordered(digest: Any, value: Mapping[Any, Any] | frozenset[Any]) -> None:
    entries = value.items() if isinstance(value, Mapping) else value
    _mark(digest, "mapping", str(len(value)).encode())
    for one in sorted(fingerprint(entry) for entry in entries):
        digest.update(one.encode())


def _mark(digest: Any, kind: str, content: bytes) -> None:
    """Kind and length stand before the content, so that the boundaries between parts count."""
    digest.update(f"{kind} {len(content)} ".encode())
    digest.update(content)
