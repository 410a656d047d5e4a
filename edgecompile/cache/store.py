"""Entries by key, each one file: whole or not there, checked when read, written without locks.

Two builds that write one entry write the same content, each under a name of its own that is then renamed; a reader
holds a whole file open whatever happens to its name. A cache that fails keeps no build from its end: what went wrong is
collected for whoever wants to tell.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Severity

FOLDER = "stages"
SUFFIX = ".entry"
PART = ".part"
_MAGIC = b"edgecompile cache 2\n"
_HASH_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Entry:
    """``plain`` is JSON, ``blobs`` bytes by name."""

    plain: Any
    blobs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(kw_only=True)
class Store:
    """Entries under ``folder``, the tool's cache folder.

    ``setting``: what of the user's surroundings decides results, such as variables that TensorFlow reads. ``said``:
    what went wrong so far, each cause once.
    """

    folder: Path
    limit_bytes: int
    setting: str = ""
    said: dict[str, Diagnostic] = field(default_factory=dict)

    def get(self, key: str) -> Entry | None:
        """The entry, or None where there is none; a damaged one is removed and told of (EC822)."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        entry = unpacked(key, content)
        with suppress(OSError):
            if entry is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)  # the bound drops what was read longest ago; access times are not kept everywhere
        if entry is None:
            self.tell(_damaged(path))
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep the entry; where that is not possible say so (EC821) and go on."""
        content = _packed(key, entry)
        if len(content) > self.limit_bytes:
            return
        path = self._path(key)
        part = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=PART)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(part, path)
        except OSError as error:
            self.tell(_unwritable(self.folder, error))
            if part is not None:
                with suppress(OSError):
                    os.unlink(part)

    def tell(self, diagnostic: Diagnostic) -> None:
        """Something that the user may want to know of the cache; not of the build."""
        self.said.setdefault(diagnostic.code, diagnostic)

    def _path(self, key: str) -> Path:
        return self.folder / FOLDER / key[:2] / f"{key}{SUFFIX}"


def _packed(key: str, entry: Entry) -> bytes:
    sizes = [[name, len(blob)] for name, blob in entry.blobs.items()]
    head = json.dumps({"plain": entry.plain, "blobs": sizes}).encode()
    body = b"".join([len(head).to_bytes(8, "little"), head, *entry.blobs.values()])
    return b"".join([_MAGIC, _digest(key, body), body])


def _digest(key: str, body: bytes | memoryview) -> bytes:
    """Over the key too: an entry that came to stand under another's name is damaged like any other."""
    digest = hashlib.sha256(key.encode())
    digest.update(body)
    return digest.digest()


def unpacked(key: str, content: bytes) -> Entry | None:
    """The entry in a file's bytes; None for what :func:`_packed` did not make for this key, to the last byte."""
    start = len(_MAGIC) + _HASH_BYTES
    body = memoryview(content)[start:]
    if content[: len(_MAGIC)] != _MAGIC or _digest(key, body) != content[len(_MAGIC) : start]:
        return None
    length = int.from_bytes(body[:8], "little")
    head = json.loads(bytes(body[8 : 8 + length]))
    blobs, at = {}, 8 + length
    for name, size in head["blobs"]:
        blobs[name] = bytes(body[at : at + size])
        at += size
    return Entry(plain=head["plain"], blobs=blobs)


def _damaged(path: Path) -> Diagnostic:
    return Diagnostic(
        code="EC822",
        severity=Severity.NOTE,
        message="an entry of the cache was damaged, and what it held was made anew",
        notes=(f"in {path}", "its content does not have the hash that it was written with"),
        help=("nothing to do; if it happens again, look at the disk",),
    )


def _unwritable(folder: Path, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="EC821",
        severity=Severity.NOTE,
        message=f"nothing can be kept in the cache: {(error.strerror or str(error)).lower()}",
        notes=(f"the cache is {folder}",),
        help=(
            "make room or give permission there, or name another folder in EDGECOMPILE_CACHE",
            "`--no-cache` builds without it",
        ),
    )
