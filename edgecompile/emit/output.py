"""All or nothing: a folder is built beside its place and put there in one step.

``staged`` gives an empty folder to build in, ``publish`` puts it in place. Until then, and when
anything goes wrong, what was there stays as it was. Files that did not change keep their inode
and modification time, files of the user's own stay where they are.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgecompile.core.errors import bad_input
from edgecompile.emit.output_errors import told
from edgecompile.emit.output_lock import locked
from edgecompile.emit.output_swap import beside, put_in_place, recover, remove_tree

REPORTS = ("report.json", "report.txt", "report.html")
DEFAULT_WAIT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Published:
    """Paths relative to the folder: what was written anew, what stayed untouched, what an earlier build had made
    and this one did not. Nothing ``written`` or ``removed``: the folder was left alone."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]


@contextmanager
def staged(destination: Path, *, wait_s: float = DEFAULT_WAIT_S) -> Iterator[Path]:
    """An empty folder beside ``destination`` to build in; it is gone afterwards unless it was published.

    Waits up to ``wait_s`` seconds for another build of the same destination. What an
    interrupted build left behind is put right first. Raises BadInputError EC630 when the place is not writable, EC631
    disk full (also for writes in the body), EC632 when a file is in the way, EC633 for a name
    the file system cannot hold, EC634 another build holds the place, EC635 anything else the system refuses.
    """
    place = _resolved(destination)
    with told(place):
        made = _make_parents(place.parent)
        try:
            with locked(place, wait_s):
                recover(place)
                _check_free(place)
                staging = beside(place, "staging")
                staging.mkdir()
                try:
                    yield staging
                finally:
                    remove_tree(staging)
        finally:
            for folder in made:
                with suppress(OSError):  # not empty: something was published there
                    folder.rmdir()


def publish(
    staging: Path, destination: Path, *, varying: Mapping[str, Callable[[bytes], bytes]] | None = None
) -> Published:
    """Put what was built into its place; to be called within :func:`staged`.

    ``varying`` names files with parts that differ at every run (durations), and for each what
    is left of its bytes without them: such a file counts as unchanged when that is equal. By default ``report.json``
    without its durations. A folder in which nothing changed is not touched at all.
    """
    place = _resolved(destination)
    rest = {"report.json": without_durations} if varying is None else varying
    with told(place):
        _check_free(place)
        new, old = _files(staging), _files(place)
        earlier = _written_before(place) & set(old)
        kept = tuple(name for name in sorted(new) if name in old and _equal(staging, place, name, rest.get(name)))
        removed = tuple(sorted(earlier - set(new)))
        written = tuple(sorted(set(new) - set(kept)))
        if not place.is_dir() or written or removed:
            _carry_over(place, staging, [*kept, *sorted(set(old) - earlier - set(new))])
            _flush(staging, written)
            put_in_place(staging, place)
    return Published(written=written, kept=kept, removed=removed)


def without_durations(content: bytes) -> bytes:
    """A JSON report without any ``duration_s``; content that is no JSON is given back as it is."""
    try:
        plain = json.loads(content)
    except ValueError:
        return content
    return json.dumps(_dropped(plain)).encode()


def _dropped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dropped(entry) for key, entry in value.items() if key != "duration_s"}
    return [_dropped(entry) for entry in value] if isinstance(value, list) else value


def _resolved(destination: Path) -> Path:
    """The real place, so that a link to a folder stays a link."""
    try:
        return Path(os.path.realpath(destination))
    except ValueError as error:
        message = "the output folder has a name that cannot be used"
        help = ("name another folder with `--output`",)
        raise bad_input("EC633", message, notes=(str(error),), help=help) from error


def _make_parents(folder: Path) -> list[Path]:
    """Make the folder and those above it; gives those that were made, innermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    if not folder.is_dir():
        raise _not_a_folder(folder)
    return missing


def _check_free(place: Path) -> None:
    if place.exists() and not place.is_dir():
        raise _not_a_folder(place)


def _not_a_folder(path: Path) -> OSError:
    return NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _files(folder: Path) -> dict[str, Path]:
    """Everything that is not a folder, and folders that are empty, by their path relative to ``folder``."""
    found = {}
    for root, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        entries = [*files, *links]
        if not entries and not folders and Path(root) != folder:
            found[str(Path(root).relative_to(folder))] = Path(root)
        for name in entries:
            path = Path(root) / name
            found[str(path.relative_to(folder))] = path
    return found


def _written_before(place: Path) -> set[str]:
    """What the report in the folder says an earlier build wrote: the rest is the user's."""
    try:
        plain = json.loads((place / "report.json").read_bytes())
        paths = [str(artifact["path"]) for artifact in plain["artifacts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    inside = [path for path in paths if ".." not in PurePosixPath(path).parts and not path.startswith("/")]
    return {*inside, *REPORTS}


def _equal(staging: Path, place: Path, name: str, rest: Callable[[bytes], bytes] | None) -> bool:
    new, old = staging / name, place / name
    if old.is_symlink() or not old.is_file() or not new.is_file():
        return False
    before, after = old.read_bytes(), new.read_bytes()
    return before == after or (rest is not None and rest(before) == rest(after))


def _carry_over(place: Path, staging: Path, names: list[str]) -> None:
    """Let the new folder have these files of the old one: the same inode where possible, else a copy as old."""
    for name in names:
        old, new = place / name, staging / name
        if old.is_dir() and not old.is_symlink():
            new.mkdir(parents=True, exist_ok=True)
            continue
        if not new.parent.is_dir():
            if any(parent.is_file() for parent in new.parents if staging in parent.parents):
                raise _not_a_folder(old.parent)
            new.parent.mkdir(parents=True)
        with suppress(FileNotFoundError):
            new.unlink()
        try:
            os.link(old, new, follow_symlinks=False)
        except OSError:  # no hard links here, or too many
            shutil.copy2(old, new, follow_symlinks=False)
    if place.is_dir():
        shutil.copymode(place, staging)


def _flush(staging: Path, names: tuple[str, ...]) -> None:
    """To the disk, so that a full one or a lost one shows before the old folder is given up."""
    for name in names:
        if (path := staging / name).is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
