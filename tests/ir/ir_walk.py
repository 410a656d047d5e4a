"""Where two values differ, field by field: networks, raw schema objects, arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def differences(a: Any, b: Any, path: str = "", ignore: tuple[str, ...] = ()) -> Iterator[str]:
    """Paths at which the two differ, with both values; nothing when they are equal, NaN included."""
    a, b = (bytes(value) if isinstance(value, memoryview) else value for value in (a, b))
    if type(a) is not type(b):
        yield f"{path}: {a!r:.60} {b!r:.60}"
    elif isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.tobytes() != b.tobytes():
            yield f"{path}: {a!r:.60} {b!r:.60}"
    elif isinstance(a, list | tuple):
        if len(a) != len(b):
            yield f"{path}: {len(a)} and {len(b)} entries"
        for index, (x, y) in enumerate(zip(a, b, strict=False)):
            yield from differences(x, y, f"{path}[{index}]", ignore)
    elif isinstance(a, Mapping):
        if list(a) != list(b):
            yield f"{path}: {list(a)} {list(b)}"
        for key in a:
            yield from differences(a[key], b.get(key), f"{path}.{key}", ignore)
    elif dataclasses.is_dataclass(a) or hasattr(a, "__dict__"):
        fields = [f.name for f in dataclasses.fields(a)] if dataclasses.is_dataclass(a) else list(vars(a))
        for name in fields:
            if name not in ignore:
                yield from differences(getattr(a, name), getattr(b, name), f"{path}.{name}", ignore)
    elif a != b and not (a != a and b != b):
        yield f"{path}: {a!r:.60} {b!r:.60}"


def sharing(network: Any) -> list[list[int]]:
    """Which tensors hold the same Buffer: for each tensor of each subgraph, the first place its buffer is met."""
    seen: dict[int, int] = {}
    return [[seen.setdefault(id(t.buffer), len(seen)) for t in subgraph.tensors] for subgraph in network.subgraphs]
