"""Checks a .keras archive before anything reads it: whole, complete, and no larger or elsewhere than it should be."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import format_size
from edgecompile.ir.spelling import printable

# The largest model of keras.applications (EfficientNetV2L, ConvNeXtXLarge) unpacks to under 1.5 GB.
MAX_UNPACKED_BYTES = 4 << 30
# Trained weights hardly compress; all-zero weights reach a factor near 1000, so small archives are let through.
MAX_RATIO = 200
RATIO_COUNTS_FROM_BYTES = 64 << 20
CONFIG = "config.json"


def check_archive(path: Path) -> None:
    """Nothing when the archive is whole and safe to unpack.

    Raises BadInputError: EC201 truncated or damaged; EC206 no ``config.json``, a member that unpacks outside its
    folder, or more unpacked bytes than any model has.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            damaged = archive.testzip()
    except EdgecompileError:
        raise
    # A damaged archive raises whatever its readers (zip, deflate, bzip2, lzma, names) trip over first.
    except Exception as reason:
        raise bad_input(
            "EC201",
            f"`{path.name}` is truncated or damaged",
            str(path),
            (f"the zip archive does not read: {printable(str(reason)[:200])}",),
            ("copy or download the file again",),
        ) from None
    if damaged is not None:
        raise bad_input(
            "EC201", f"`{path.name}` is damaged", str(path), (f"member `{_shown(damaged)}` fails its checksum",)
        )


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    outside = next((name for name in names if _escapes(name)), None)
    if outside is not None:
        raise _unsafe(path, f"member `{_shown(outside)}` would be written outside the archive's folder")
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise _unsafe(path, f"member `{_shown(twice)}` is there twice, so that two readers may see two models")
    linked = next((member.filename for member in members if stat.S_ISLNK(member.external_attr >> 16)), None)
    if linked is not None:
        raise _unsafe(path, f"member `{_shown(linked)}` is a symbolic link")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise _unsafe(path, f"limit {format_size(MAX_UNPACKED_BYTES)} unpacked, found {format_size(unpacked)}")
    packed = max(1, sum(member.compress_size for member in members))
    if unpacked > RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * packed:
        raise _unsafe(path, f"limit {MAX_RATIO} unpacked bytes for each packed one, found {unpacked // packed}")
    if CONFIG not in names:
        held = ", ".join(f"`{_shown(name)}`" for name in sorted(names)[:5]) or "nothing"
        raise bad_input(
            "EC206",
            f"`{path.name}` is a zip archive without `{CONFIG}`, so no Keras model",
            str(path),
            (f"it holds {held}",),
            ("save the model with `model.save('name.keras')`",),
        )


def _shown(name: str) -> str:
    """A member's name, short and without what a terminal obeys."""
    return printable(name[:80])


def _escapes(name: str) -> bool:
    pure = PurePosixPath(name.replace("\\", "/"))
    return pure.is_absolute() or ".." in pure.parts or ":" in name


def _unsafe(path: Path, note: str) -> EdgecompileError:
    return bad_input(
        "EC206",
        f"`{path.name}` is not an archive that Keras writes",
        str(path),
        (note,),
        ("save the model again with Keras; do not trust the file unless you know where it is from",),
    )
