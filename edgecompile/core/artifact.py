"""A file that a build wrote."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """``path`` is relative to the target's output folder; ``kind`` says what reads it (``tflite``, ``c_source``)."""

    path: str
    kind: str
    size_bytes: int
    sha256: str


def describe(folder: Path, relative: str, kind: str) -> Artifact:
    """The artifact for a file that exists under ``folder``."""
    content = (folder / relative).read_bytes()
    return Artifact(path=relative, kind=kind, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
