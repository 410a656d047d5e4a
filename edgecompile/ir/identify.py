"""Is it a TFLite flatbuffer at all? And if not, what does it look like?"""

from __future__ import annotations

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.libs.schema import FILE_IDENTIFIER

# First bytes, what they mean, what to do.
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive, such as a `.keras` file", "name the `.keras` file itself"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras' `.h5`", "name it with its own ending, `.h5`"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it stands for", "fetch the file: git lfs pull"),
    (b"<", "a web page, such as an error page saved by a download", "download the model again"),
    (b"DOCTYPE", "a web page, such as an error page saved by a download", "download the model again"),
)
_SHORTEST = 8


def identify(content: bytes, name: str) -> None:
    """Raise EC210 for no bytes at all, EC211 for too few, EC212 where they are not a TFLite file's."""
    if not content:
        raise bad_input(
            "EC210", f"`{name}` is empty", name, ("the file has 0 bytes",), ("save, copy or download the model again",)
        )
    found = content[4:_SHORTEST]
    if found == FILE_IDENTIFIER:
        return
    if len(content) < _SHORTEST:
        raise _too_short(len(content), name)
    raise _other(content, found, name)


def _too_short(size: int, name: str) -> EdgecompileError:
    return bad_input(
        "EC211",
        f"`{name}` is too short to be a model",
        name,
        (f"limit: at least {_SHORTEST} bytes; found: {size}",),
        ("copy or download the model again and compare its size with the original",),
    )


def _other(content: bytes, found: bytes, name: str) -> EdgecompileError:
    likely = next(((what, remedy) for magic, what, remedy in _KINDS if content.lstrip().startswith(magic)), None)
    notes = [f"bytes 4 to 7 should read {FILE_IDENTIFIER!r}, they read {found!r}"]
    if likely:
        notes.append(f"it looks like {likely[0]}")
    return bad_input(
        "EC212",
        f"`{name}` is not a TFLite model",
        name,
        notes,
        (likely[1] if likely else "name a file that the TFLite converter wrote",),
    )
