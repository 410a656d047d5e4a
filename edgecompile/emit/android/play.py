"""What Google Play lets an app weigh, held against the model.

Limits are on the compressed download. Play Console Help, "Optimize your app's size and stay within Google Play app
size limits" (answer 9859372): base module 200 MB (150 MB until 2024), one asset pack 1.5 GB. Some accounts are told of
500 MB for a module; an app that may weigh that says so with `download_limit`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import rejected

OLD_LIMIT_BYTES = 150_000_000
BASE_LIMIT_BYTES = 200_000_000
PACK_LIMIT_BYTES = 1_500_000_000
_SOURCE = "source: Play Console Help, Google Play maximum size limits (answer 9859372)"
_TOO_MUCH = "the model is more than Google Play takes"
_CHUNK = 1 << 22


def download_bytes(content: bytes, enough: int | None = None) -> int:
    """Bytes of the file as a download, deflated; one of at most ``enough`` bytes is not tried, None: the old limit."""
    if len(content) <= (OLD_LIMIT_BYTES if enough is None else enough):
        return len(content)
    packer = zlib.compressobj(level=1)
    chunks = (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
    return sum(len(packer.compress(chunk)) for chunk in chunks) + len(packer.flush())


def hold(
    size_bytes: int, name: str, *, asset_pack: bool, limit_bytes: int | None = None, must: bool = True
) -> Iterator[Diagnostic]:
    """A warning EC693 between the old limit and the limit; ``limit_bytes`` is the user's own, if any.

    Raises RejectedError EC694 for a download that the store does not take; a warning where nobody said that it must.
    """
    limit = limit_bytes or (PACK_LIMIT_BYTES if asset_pack else BASE_LIMIT_BYTES)
    notes = (f"limit: {_mb(limit)}{' for an asset pack' if asset_pack else ''}", f"found: {_mb(size_bytes)}", _SOURCE)
    if size_bytes > limit and must:
        raise rejected("EC694", _TOO_MUCH, name, notes, _help(asset_pack))
    if size_bytes > limit:
        yield Diagnostic(
            code="EC694",
            severity=Severity.WARNING,
            message=_TOO_MUCH,
            location=Location(file=name),
            notes=(
                *notes,
                "an app that brings the model along will be refused; one that downloads it by itself will not",
            ),
            help=_help(asset_pack),
        )
    elif not asset_pack and limit_bytes is None and size_bytes > OLD_LIMIT_BYTES:
        yield Diagnostic(
            code="EC693",
            severity=Severity.WARNING,
            message="the model takes most of what an app may weigh on Google Play",
            location=Location(file=name),
            notes=(
                f"limit: {_mb(BASE_LIMIT_BYTES)} for the whole base module, {_mb(OLD_LIMIT_BYTES)} until 2024",
                *notes[1:],
            ),
            help=_help(asset_pack),
        )


def _help(asset_pack: bool) -> tuple[str, ...]:
    smaller = "make it smaller: `--numerics int8` takes a quarter of float32"
    if asset_pack:
        return (smaller, "or let the app download it after the installation")
    return (
        smaller,
        "or deliver it as an asset pack: `module` under [android] names one, with the plugin com.android.asset-pack",
        'a larger limit that your account has is set with `download_limit = "500 MB"` under [android]',
    )


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"
