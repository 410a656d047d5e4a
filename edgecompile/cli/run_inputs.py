"""What `run` is given: the folder of a build, and a file of inputs for the model in it."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, bad_input

Array = np.ndarray[Any, Any]
# Names under which data sets keep what is fed in, in the order of preference.
_DATA_NAMES = ("x_test", "x", "x_calibration", "x_train")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A model that was built: its file, the target it was built for and its checksum ("" where nothing says so).

    ``data``: what the report says of the samples; ``labels``: class names, empty where it names none.
    """

    path: Path
    target: str
    sha256: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the outputs; empty where the report names none."""
        return tuple(map(str, self.data.get("labels", ())))

    @property
    def content(self) -> bytes:
        """The flatbuffer. Raises EC110 when it cannot be read, EC112 when it is not the one that was built, EC210 to
        EC229 for a file without a build that is no whole model."""
        from edgecompile.ir import reader

        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise _no_build(str(self.path), (error.strerror or str(error)).lower()) from error
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 not in ("", found):
            raise _changed(self, found)
        if not self.sha256:
            reader.read(content, self.path.name)  # what nobody vouches for is looked through before it is run
        return content


def find_build(name: str) -> Built:
    """The model in a target's folder, or the .tflite file itself. Raises EC110 where there is none, or no build."""
    path = Path(name)
    if path.is_file() and path.suffix == ".tflite":
        return Built(path=path, target="")
    report = path / "report.json"
    if not report.is_file():
        below = sorted(str(found.parent) for found in path.glob("*/report.json")) if path.is_dir() else []
        hints = (f"name the folder of one target: {', '.join(below)}",) if below else ()
        raise _no_build(name, "it has no report.json" if path.is_dir() else "there is no such folder", hints)
    try:
        plain = json.loads(report.read_text(encoding="utf-8"))
        target, data = str(plain["target"]), dict(plain.get("details", {}).get("data", {}))
        models = [
            Built(path=path / file["path"], target=target, sha256=str(file.get("sha256", "")), data=data)
            for file in plain["artifacts"]
            if file["path"].endswith(".tflite")
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _no_build(name, "its report.json cannot be read") from None
    if not models:
        raise _no_build(name, f"its report names no .tflite (status {plain.get('status')})")
    return models[0]


def read_inputs(name: str, names: Sequence[str]) -> tuple[Array, ...]:
    """One array for each of the model's inputs ``names``, samples first, from a .npy or .npz file.

    In a .npz arrays are found by the inputs' names; for a model of one input else under the names that data sets
    use (``x_test``, ``x``, ...); else there must be as many arrays as inputs, in their order.
    Raises EC111 for a file that cannot be read or does not hold them.
    """
    if os.path.exists(name) and not os.path.isfile(name):
        raise _no_inputs(name, "it is a folder" if os.path.isdir(name) else "it is a pipe or a device, not a file")
    try:
        loaded = np.load(name, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _no_inputs(name, f"it cannot be read: {reason[:1].lower()}{reason[1:]}") from error
    chosen = _choose(arrays, names)
    if chosen is None:
        raise _no_inputs(name, f"it holds {', '.join(map(repr, arrays))}; the model's inputs are {', '.join(names)}")
    strange = next((array.dtype for array in chosen if array.dtype.kind not in "biuf"), None)
    if strange is not None:
        raise _no_inputs(name, f"models take real numbers; found: {strange}")
    if any(array.size == 0 for array in chosen):
        raise _no_inputs(name, "its arrays are empty")
    if any(array.ndim == 0 for array in chosen) or len({len(array) for array in chosen}) != 1:
        shapes = ", ".join(str(list(array.shape)) for array in chosen)
        raise _no_inputs(name, f"its arrays must hold equally many samples, on the first axis; shapes are {shapes}")
    return chosen


def _choose(arrays: dict[str, Array], names: Sequence[str]) -> tuple[Array, ...] | None:
    if all(name in arrays for name in names):
        return tuple(arrays[name] for name in names)
    if len(names) == 1 and (usual := next((name for name in _DATA_NAMES if name in arrays), None)):
        return (arrays[usual],)
    return tuple(arrays.values()) if len(arrays) == len(names) else None


def _no_build(name: str, reason: str, help: Sequence[str] = ()) -> EdgecompileError:
    remedies = tuple(help) or ("name the folder that `edgecompile build` wrote for a target, such as `build/coral`",)
    return bad_input("EC110", f"`{name}` holds no built model: {reason}", location=name, help=remedies)


def _changed(built: Built, found: str) -> EdgecompileError:
    return bad_input(
        "EC112",
        f"`{built.path.name}` is not the file that was built: its checksum differs from the report's",
        location=str(built.path),
        notes=(f"sha256 in report.json: {built.sha256}", f"found: {found}"),
        help=("build it again, or name the file itself to run it as it is", f"edgecompile run {built.path} --on host"),
    )


def _no_inputs(name: str, reason: str) -> EdgecompileError:
    return bad_input(
        "EC111",
        f"`{name}` holds no inputs for this model",
        location=name,
        notes=(reason,),
        help=("give a .npz with an array for each input, by its name, or a .npy for a model of one input",),
    )
