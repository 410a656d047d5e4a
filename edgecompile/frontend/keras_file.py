"""Reads what a .keras or .h5 file says about itself, and hands it to the Keras that wrote it, repaired if need be."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.hdf5_trial import withstand
from edgecompile.frontend.source import ModelSource
from edgecompile.ir.spelling import printable
from edgecompile.libs.keras import tensorflow


@dataclass(frozen=True, kw_only=True)
class KerasFile:
    """``config``: the architecture as JSON types; ``generation``: of the Keras that wrote it, 2 or 3."""

    path: Path
    kind: str
    config: dict[str, Any]
    generation: int
    version: str


def read_keras_file(source: ModelSource) -> KerasFile:
    """The architecture inside a .keras or .h5 file; nothing of it is deserialized.

    Raises BadInputError EC201 when the container does not read, EC208 when it holds weights but no architecture.
    """
    assert source.path is not None
    config, version = read_archive(source.path) if source.kind == "keras" else _from_hdf5(source.path, source.name)
    if not isinstance(config, dict) or "class_name" not in config:
        raise _damaged(source.path, ValueError("it names no class of a model"))
    if source.kind == "keras":
        withstand(source.path, source.kind, source.name)
    generation = _generation(config, version)
    return KerasFile(path=source.path, kind=source.kind, config=config, generation=generation, version=version)


@contextlib.contextmanager
def readable_copy(file: KerasFile, config: dict[str, Any]) -> Iterator[Path]:
    """A path that Keras opens: the file itself, or a temporary copy where config or suffix must change."""
    suffix = ".keras" if file.kind == "keras" else ".h5"
    if config == file.config and file.path.suffix == suffix:
        yield file.path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"model{suffix}"
        if file.kind == "keras":
            _copy_zip(file.path, copy, config)
        else:
            _copy_hdf5(file.path, copy, config)
        yield copy


def read_archive(path: Path) -> tuple[Any, str]:
    """The architecture in a .keras file as JSON types, and the version of the Keras that wrote it. Raises EC201."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            metadata = json.loads(archive.read("metadata.json")) if "metadata.json" in archive.namelist() else {}
    except (ValueError, KeyError, RecursionError, zipfile.BadZipFile) as reason:
        raise _damaged(path, reason) from None
    return config, str(metadata.get("keras_version", "")) if isinstance(metadata, dict) else ""


def _from_hdf5(path: Path, name: str) -> tuple[Any, str]:
    tensorflow()  # EC190 where TensorFlow, which brings h5py, is missing
    withstand(path, "h5", name)
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = _text(file.attrs.get("model_config"))
            version = _text(file.attrs.get("keras_version")) or ""
            groups = sorted(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as reason:  # the last two: types NumPy has not
        note = f"HDF5 says: {printable(str(reason)[:200])}"
        raise bad_input(
            "EC201", f"`{path.name}` is truncated or damaged", str(path), (note,), ("copy it again",)
        ) from None
    if text is None:
        raise _weights_only(path, groups)
    try:
        return json.loads(text), version
    except (ValueError, RecursionError) as reason:
        raise _damaged(path, reason) from None


def _damaged(path: Path, reason: Exception) -> EdgecompileError:
    told = "its brackets are nested too deeply" if isinstance(reason, RecursionError) else str(reason)[:200]
    return bad_input(
        "EC201",
        f"the architecture in `{path.name}` is damaged",
        str(path),
        (printable(told),),
        ("copy or download the file again, or save the model again",),
    )


def _text(attribute: Any) -> str | None:
    if attribute is None:
        return None
    return attribute.decode("utf-8", "replace") if isinstance(attribute, bytes) else str(attribute)


def _weights_only(path: Path, groups: list[str]) -> EdgecompileError:
    held = ", ".join(f"`{printable(name[:80])}`" for name in groups[:4]) + (", ..." if len(groups) > 4 else "")
    return bad_input(
        "EC208",
        f"`{path.name}` holds weights only, no architecture",
        str(path),
        (f"it has no attribute `model_config`; its groups are {held or 'none'}",),
        (
            "save the whole model with `model.save('name.keras')` instead of `save_weights`",
            f"or name a function that builds the model and calls `model.load_weights('{path.name}')`: `model.py:make`",
        ),
    )


def _generation(config: dict[str, Any], version: str) -> int:
    """By the version that the file states; where it states none, by a key that only Keras 3 writes."""
    first = version.split(".")[0]
    if first.isdecimal() and len(first) < 4:
        return 3 if int(first) >= 3 else 2
    return 3 if '"batch_shape"' in json.dumps(config) or '"DTypePolicy"' in json.dumps(config) else 2


def _copy_zip(path: Path, copy: Path, config: dict[str, Any]) -> None:
    with zipfile.ZipFile(path) as original, zipfile.ZipFile(copy, "w") as written:
        for member in original.infolist():
            if member.filename == "config.json":
                written.writestr(member, json.dumps(config))
                continue
            with original.open(member) as reading, written.open(member, "w") as writing:
                shutil.copyfileobj(reading, writing)


def _copy_hdf5(path: Path, copy: Path, config: dict[str, Any]) -> None:
    import h5py

    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
