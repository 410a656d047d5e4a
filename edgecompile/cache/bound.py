"""How much the cache takes, and keeping that within a bound: what was used longest ago goes first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgecompile.cache.store import FOLDER, PART, SUFFIX

TRAINING = "training"
USUAL_LIMIT_BYTES = 2 << 30
# A file that is being written is renamed within seconds; one this old was left by a build that was killed.
_ABANDONED_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What is removed as one: an entry of a stage, or the checkpoints of a training run. ``used``: when, in seconds."""

    kind: str
    files: tuple[Path, ...]
    size_bytes: int
    used: float


def pieces(folder: Path) -> list[Piece]:
    """All that is bounded under the tool's cache folder, what was used longest ago first."""
    found = [_piece(FOLDER, [path]) for path in (folder / FOLDER).glob(f"*/*{SUFFIX}")]
    found += [_piece(TRAINING, files) for files in _runs(folder / TRAINING)]
    return sorted((piece for piece in found if piece.files), key=lambda piece: (piece.used, piece.files))


def prune(folder: Path, limit_bytes: int) -> list[Piece]:
    """Remove what was used longest ago until the rest takes ``limit_bytes`` at most; gives what went.

    Safe beside builds: what one of them reads stays readable to it, and what it misses it makes anew.
    """
    _drop_abandoned(folder)
    there = pieces(folder)
    total, gone = sum(piece.size_bytes for piece in there), []
    for piece in there:
        if total <= limit_bytes:
            break
        _remove(piece)
        total -= piece.size_bytes
        gone.append(piece)
    return gone


def _runs(training: Path) -> Iterator[list[Path]]:
    with suppress(OSError):
        for run in sorted(training.iterdir()):
            if run.is_dir():
                yield [path for path in run.iterdir() if path.is_file()]


def _piece(kind: str, files: list[Path]) -> Piece:
    there: list[tuple[Path, os.stat_result]] = []
    for path in files:
        with suppress(OSError):  # removed meanwhile
            there.append((path, path.stat()))
    return Piece(
        kind=kind,
        files=tuple(path for path, _ in there),
        size_bytes=sum(status.st_size for _, status in there),
        used=max((status.st_mtime for _, status in there), default=0.0),
    )


def _remove(piece: Piece) -> None:
    for path in piece.files:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    if piece.kind == TRAINING:
        with suppress(OSError):  # not empty, or gone
            piece.files[0].parent.rmdir()


def _drop_abandoned(folder: Path) -> None:
    for path in (*(folder / FOLDER).glob(f"*/*{PART}"), *(folder / TRAINING).glob(f"*/*{PART}")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_S:
                path.unlink()
