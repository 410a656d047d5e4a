"""Results as JSON and bytes, and back: dataclasses of known kinds, arrays, tuples; never a pickle."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np

from edgecompile.cache.store import Entry

_KIND = "kind"


def encode(value: Any) -> Entry:
    """The entry for a value. Raises TypeError for a kind that :func:`decode` could not make."""
    blobs: dict[str, bytes] = {}
    return Entry(plain=_plain(value, blobs), blobs=blobs)


def decode(entry: Entry, kinds: Sequence[type]) -> Any:
    """The value of an entry; ``kinds`` are the dataclasses and enumerations that may be in it."""
    return _value(entry.plain, entry.blobs, {kind.__qualname__: kind for kind in kinds})


def _plain(value: Any, blobs: dict[str, bytes]) -> Any:
    if isinstance(value, Enum):
        return {_KIND: type(value).__qualname__, "value": value.value}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, bytes)):
        name = str(len(blobs))
        blobs[name] = value if isinstance(value, bytes) else _array_bytes(value)
        return {_KIND: "bytes" if isinstance(value, bytes) else "array", "value": name}
    if isinstance(value, (list, tuple)):
        return {_KIND: type(value).__name__, "value": [_plain(entry, blobs) for entry in value]}
    if isinstance(value, Mapping):
        pairs = [[_plain(key, blobs), _plain(entry, blobs)] for key, entry in value.items()]
        return {_KIND: "mapping", "value": pairs}
    if dataclasses.is_dataclass(value):
        fields = {field.name: _plain(getattr(value, field.name), blobs) for field in dataclasses.fields(value)}
        return {_KIND: type(value).__qualname__, "value": fields}
    raise TypeError(f"a value of {type(value).__qualname__} cannot be kept")


def _value(plain: Any, blobs: Mapping[str, bytes], kinds: Mapping[str, type]) -> Any:
    if not isinstance(plain, dict):
        return plain
    kind, held = plain[_KIND], plain["value"]
    if kind == "bytes":
        return blobs[held]
    if kind == "array":
        return np.load(io.BytesIO(blobs[held]), allow_pickle=False)
    if kind in ("list", "tuple"):
        entries = [_value(entry, blobs, kinds) for entry in held]
        return entries if kind == "list" else tuple(entries)
    if kind == "mapping":
        return {_value(key, blobs, kinds): _value(entry, blobs, kinds) for key, entry in held}
    made = kinds[kind]
    if isinstance(held, dict) and dataclasses.is_dataclass(made):
        return made(**{name: _value(entry, blobs, kinds) for name, entry in held.items()})
    return made(held)


def _array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
