"""What a model argument points at: its kind told by content, whether it is whole, its hash. No TensorFlow, no h5py."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import counted, format_size
from edgecompile.frontend.archive import check_archive
from edgecompile.frontend.hdf5 import HDF5_SIGNATURE, hdf5_offset, missing_bytes

KINDS = ("keras", "h5", "saved_model", "tflite", "python")
SUFFIXES = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".tflite": "tflite", ".lite": "tflite"}
_ENTRY = re.compile(r"^(?P<place>.+):(?P<function>[A-Za-z_]\w*)$")
_MODULE = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
_LFS_POINTER = b"version https://git-lfs"
_ACCEPTED = "a model is a .keras, .h5 or .tflite file, a SavedModel folder, or `module:function`"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model that was found and is whole as far as its bytes tell.

    ``path``: absolute file or folder; for ``python`` the file that holds the function, None where
    the module lies outside ``base``. ``entry``: for ``python`` the function (``function`` of ``path``,
    else ``module:function``). ``sha256`` of the file, of the folder's files in name order, or of the
    entry's text where there is no file. ``size_bytes`` of all files. ``name``: what people call it.
    """

    kind: str
    path: Path | None
    entry: str | None
    sha256: str
    size_bytes: int
    name: str


def open_model(spec: str, base: Path) -> ModelSource:
    """The source that ``spec`` names, relative names read from ``base``.

    Raises BadInputError: EC200 missing, EC201 empty or truncated, EC202 not a model, EC203 a folder that is no
    SavedModel, EC204 not readable, EC205 git-lfs pointer, EC206 unsafe archive, EC207 unusable entry point.
    """
    if not spec.strip():
        raise bad_input("EC200", "the name of the model is empty", notes=("found: no letter",), help=(_ACCEPTED,))
    path = (base / spec).expanduser().absolute()
    entry = _ENTRY.match(spec)
    if entry is not None and not path.exists():
        return _python(spec, entry["place"], entry["function"], base)
    if not path.exists():
        raise _absent(spec, path)
    try:
        return _folder(path) if path.is_dir() else _file(path)
    except OSError as reason:
        raise bad_input(
            "EC204",
            f"`{path.name}` cannot be read: {(reason.strerror or str(reason)).lower()}",
            str(path),
            help=("give this user read permission on the file and its folder",),
        ) from None


def content_kind(head: bytes) -> str | None:
    """The kind that a file's first bytes tell: ``keras`` (a zip), ``h5`` or ``tflite``; None: none of them."""
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[:4] == b"PK\x03\x04":
        return "keras"
    return "h5" if hdf5_offset(head) is not None else None


def _absent(spec: str, path: Path) -> EdgecompileError:
    """The message for a name that is not there, with what lies beside it under a similar name."""
    notes: list[str] = []
    remedies: list[str] = []
    if path.is_symlink():
        notes.append(f"it is a symbolic link to `{path.readlink()}`, which leads to no file")
    elif not path.parent.is_dir():
        notes.append(f"the folder `{path.parent}` does not exist")
    else:
        near = difflib.get_close_matches(path.name, sorted(entry.name for entry in path.parent.iterdir()), n=1)
        remedies = [f"did you mean `{Path(spec).parent / name}`?" for name in near]
    return bad_input("EC200", f"there is no model `{spec}`", str(path), notes, (*remedies, _ACCEPTED))


def _file(path: Path) -> ModelSource:
    if not path.is_file():
        raise _no_file(path)
    size = path.stat().st_size
    if size == 0:
        raise bad_input("EC201", f"`{path.name}` is empty", str(path), help=("save or copy the model again",))
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if head.startswith(_LFS_POINTER):
        raise _lfs(path)
    kind = content_kind(head)
    if kind is None:
        raise _not_a_model(path, head, size)
    if kind == "keras":
        check_archive(path)
    if kind == "h5":
        _check_hdf5_whole(path, head, size)
    return ModelSource(kind=kind, path=path, entry=None, sha256=_sha256(path), size_bytes=size, name=path.name)


def _no_file(path: Path) -> EdgecompileError:
    """What is neither file nor folder is not opened: a pipe would wait for its writer, and a device never ends."""
    kind = "a named pipe" if path.is_fifo() else "a socket" if path.is_socket() else "a device"
    return bad_input(
        "EC202",
        f"`{path.name}` is {kind}, not a file",
        str(path),
        notes=("a model is read more than once, which only files allow",),
        help=("write it into a file first, and name that", _ACCEPTED),
    )


def _lfs(path: Path) -> EdgecompileError:
    return bad_input(
        "EC205",
        f"`{path.name}` is a git-lfs pointer, not the model itself",
        str(path),
        help=(f"fetch the model with `git lfs pull --include {path.name}`",),
    )


def _check_hdf5_whole(path: Path, head: bytes, size: int) -> None:
    lost = missing_bytes(head, size)
    if lost > 0:
        raise bad_input(
            "EC201",
            f"`{path.name}` is truncated",
            str(path),
            (f"its header says {format_size(size + lost)}, the file has {format_size(size)}",),
            ("copy or download the file again",),
        )


def _not_a_model(path: Path, head: bytes, size: int) -> EdgecompileError:
    """Why the bytes are no model: another known format, a truncated start, or nothing known."""
    suffix = path.suffix.lower()
    expected = {"keras": "a zip archive", "h5": "an HDF5 file", "tflite": "a TFLite flatbuffer"}.get(
        SUFFIXES.get(suffix, ""), ""
    )
    if suffix == ".py":
        return bad_input(
            "EC207",
            f"`{path.name}` is Python source: which function makes the model?",
            str(path),
            help=(f"name the function: `{path.name}:make_model`",),
        )
    if expected and _is_cut_signature(head):
        return bad_input("EC201", f"`{path.name}` is truncated", str(path), (f"the file has {counted(size, 'byte')}",))
    notes = [f"`{suffix}` files are {expected}; this one is not" if expected else "its content is of no known kind"]
    looks = _foreign(head, suffix)
    notes += [f"the content looks like {looks}"] if looks else []
    return bad_input("EC202", f"`{path.name}` is not a model edgecompile can read", str(path), notes, (_ACCEPTED,))


def _is_cut_signature(head: bytes) -> bool:
    """Fewer bytes than a signature needs, and those bytes begin one."""
    return len(head) < 8 and any(mark.startswith(head) for mark in (HDF5_SIGNATURE, b"PK\x03\x04"))


def _foreign(head: bytes, suffix: str) -> str:
    """Other things people hand in, by their first bytes."""
    if head.lstrip()[:1] in (b"{", b"["):
        return "JSON (an architecture without weights?)"
    if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return "a web page: the download did not give the file"
    if head.startswith(b"\x1f\x8b"):
        return "a gzip archive: unpack it first"
    if head.startswith(b"\x80") and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, which is never opened: loading one runs code"
    if suffix in (".pt", ".pth", ".onnx"):
        return "a PyTorch or ONNX model"
    if suffix == ".pb":
        return "a frozen graph or a part of a SavedModel: name the SavedModel's folder"
    return ""


def _folder(path: Path) -> ModelSource:
    if not (path / "saved_model.pb").is_file():
        raise _no_saved_model(path)
    if (path / "saved_model.pb").stat().st_size == 0:
        raise bad_input("EC201", "`saved_model.pb` is empty", str(path), help=("export the model again",))
    files = sorted(p for p in path.rglob("*") if p.is_file())
    digest, size = hashlib.sha256(), 0
    for file in files:
        head = file.open("rb").read(len(_LFS_POINTER))
        if head == _LFS_POINTER:
            raise _lfs(file)
        length = file.stat().st_size
        digest.update(f"{file.relative_to(path).as_posix()}\0{length}\0".encode())
        for chunk in _chunks(file):
            digest.update(chunk)
        size += length
    return ModelSource(
        kind="saved_model", path=path, entry=None, sha256=digest.hexdigest(), size_bytes=size, name=path.name
    )


def _no_saved_model(path: Path) -> EdgecompileError:
    inside = sorted(entry.name for entry in path.iterdir())
    models = [
        name for name in inside if Path(name).suffix.lower() in SUFFIXES or (path / name / "saved_model.pb").is_file()
    ]
    notes = ("it holds " + (", ".join(f"`{name}`" for name in inside[:5]) or "nothing"),)
    remedies = tuple(f"did you mean `{path / name}`?" for name in models[:1])
    if {"config.json", "metadata.json"} <= set(inside):
        remedies = ("this looks like an unpacked .keras file: name the .keras file itself",)
    return bad_input(
        "EC203",
        f"the folder `{path.name or path}` is no SavedModel: it has no `saved_model.pb`",
        str(path),
        notes,
        (*remedies, _ACCEPTED),
    )


def _python(spec: str, place: str, function: str, base: Path) -> ModelSource:
    if place.endswith(".py"):
        path: Path | None = (base / place).expanduser().absolute()
        if path is not None and not path.is_file():
            raise _absent(place, path)
    elif Path(place).suffix.lower() in SUFFIXES:
        raise _absent(spec, (base / spec).absolute())
    elif _MODULE.match(place):
        path = _module_file(place, base)
    else:
        raise bad_input(
            "EC207",
            f"`{spec}` names no Python function",
            notes=(f"`{place}` is neither a module name nor a .py file",),
            help=("write `package.module:function` or `folder/file.py:function`",),
        )
    if path is None:
        text = spec.encode()
        return ModelSource(
            kind="python", path=None, entry=spec, sha256=hashlib.sha256(text).hexdigest(), size_bytes=0, name=spec
        )
    size = path.stat().st_size
    return ModelSource(kind="python", path=path, entry=function, sha256=_sha256(path), size_bytes=size, name=spec)


def _module_file(module: str, base: Path) -> Path | None:
    """The module's file under ``base``; None: an installed module, found when it is imported."""
    stem = base.absolute().joinpath(*module.split("."))
    for candidate in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
