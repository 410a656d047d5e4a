"""A file that a build wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """``path`` is relative to the target's output folder; ``kind`` says what reads it (``tflite``, ``c_source``)."""

    path: str
    kind: str
    size_bytes: int
    sha256: str


def listed(artifacts: Iterable[Artifact]) -> str:
    """What was written, in a line: the first file, how many more, and each folder with the number of its files."""
    folders: dict[str, int] = {}
    files = []
    for artifact in artifacts:
        folder, slash, _ = artifact.path.partition("/")
        if slash:
            folders[folder] = folders.get(folder, 0) + 1
        else:
            files.append(artifact.path)
    more = [f"and {len(files) - 1} more"] if len(files) > 1 else []
    return ", ".join([" ".join([*files[:1], *more]), *(f"{name}/ {count}" for name, count in folders.items())])


def describe(folder: Path, relative: str, kind: str) -> Artifact:
    """The artifact for a file that exists under ``folder``."""
    content = (folder / relative).read_bytes()
    return Artifact(path=relative, kind=kind, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
