"""Checkpoints of a training run: found by what determines its result, whole or not there, checked when read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.libs.arrays import is_full, no_room

Array = np.ndarray[Any, Any]
_KEPT = 2  # the newest, and the one before should that be damaged
_SUFFIX = ".checkpoint"


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """A run after some epochs: ``numbers`` (JSON) and arrays by name."""

    epoch: int
    numbers: Mapping[str, Any]
    arrays: Mapping[str, Array]


def fingerprint(parts: Iterable[bytes | str | Array | None]) -> str:
    """A hash over what determines a result; the boundaries between parts count."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            head, body = (
                f"{part.dtype.str}{part.shape}",
                memoryview(np.ascontiguousarray(part).tobytes()),
            )
        else:
            body = memoryview(part.encode() if isinstance(part, str) else part or b"")
            head = f"{type(part).__name__}{len(body)}"
        digest.update(head.encode())
        digest.update(body)
    return digest.hexdigest()[:32]


def save(folder: Path, state: State) -> None:
    """Write the state beside earlier ones, in one step, and drop the oldest.

    Raises BadInputError EC904 where there is no room. A folder that may not be written, or that is being cleared,
    keeps no checkpoint: that costs time after a kill, no result.
    """
    packed = io.BytesIO()
    np.savez(packed, **{f"array:{name}": array for name, array in state.arrays.items()}, numbers=_text(state.numbers))
    content = packed.getvalue()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
            file.write(hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, folder / f"{state.epoch:05d}{_SUFFIX}")
    except OSError as error:
        if is_full(error):
            raise no_room(str(error)) from error
        return
    for old in _files(folder)[_KEPT:]:
        old.unlink(missing_ok=True)


def restore(folder: Path, diagnostics: list[Diagnostic]) -> State | None:
    """The newest state that is whole, or None. Each damaged file is told of (note EC317) and passed over."""
    for path in _files(folder):
        state = _read(path)
        if state is not None:
            with suppress(OSError):
                os.utime(path)  # the cache's bound drops what was used longest ago
            return state
        diagnostics.append(_damaged(path))
    return None


def _files(folder: Path) -> list[Path]:
    """Newest first."""
    return sorted(folder.glob(f"*{_SUFFIX}"), reverse=True)


def _read(path: Path) -> State | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        return None
    with np.load(io.BytesIO(content[32:]), allow_pickle=False) as packed:
        arrays = {name.split(":", 1)[1]: packed[name] for name in packed.files if name.startswith("array:")}
        numbers = json.loads(packed["numbers"].tobytes().decode())
    return State(epoch=int(path.name.removesuffix(_SUFFIX)), numbers=numbers, arrays=arrays)


def _text(numbers: Mapping[str, Any]) -> Array:
    return np.frombuffer(json.dumps(dict(numbers)).encode(), np.uint8)


def _damaged(path: Path) -> Diagnostic:
    return Diagnostic(
        code="EC317",
        message=f"checkpoint `{path.name}` is damaged and was passed over",
        severity=Severity.NOTE,
        notes=(f"in {path.parent}", "its content does not have the hash that it was written with"),
        help=("nothing to do: training went on from an earlier state",),
    )
