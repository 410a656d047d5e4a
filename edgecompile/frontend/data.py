"""Open the user's data: read, preprocess and split it into train, validation, calibration and test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.port import Port
from edgecompile.core.project import DataSpec
from edgecompile.frontend import data_csv, data_features, data_folder, data_npz, preprocess
from edgecompile.frontend.data_check import arrange, check_against
from edgecompile.frontend.data_labels import name_classes
from edgecompile.frontend.data_python import is_entry, load_python
from edgecompile.frontend.data_room import no_room
from edgecompile.frontend.data_set import PARTS, Array, DataSet, Raw, Split
from edgecompile.frontend.data_split import split, too_few_for_calibration
from edgecompile.frontend.data_spots import spots, told
from edgecompile.frontend.data_store import restore, save, spec_from

__all__ = [
    "DataSet",
    "Port",
    "Split",
    "arrange",
    "check_against",
    "is_entry",
    "load_python",
    "open_data",
    "restore",
    "save",
    "spec_from",
]

_FLOAT32_BYTES = 4


def open_data(spec: DataSpec, base: Path, seed: int) -> DataSet:
    """The samples that ``spec.source`` names, relative to ``base``, preprocessed and split.

    The same source, spec and seed give the same splits in the same order. A ``module:function``
    source runs the user's code in this process: the pipeline calls it in a child.

    Raises BadInputError: EC260 no such source, EC261 not a kind of data we read, EC262 to
    EC286 for what is wrong inside it (each reader says which), EC288 where it does not fit into memory.
    """
    if not spec.source:
        raise bad_input("EC260", "no data source is named", help=('set `source = "data.npz"` under [data]',))
    try:
        return _opened(spec, spec.source, base, seed)
    except MemoryError as error:
        raise no_room(spec.source, str(error) or "memory ran out", "free memory") from error


def _opened(spec: DataSpec, source: str, base: Path, seed: int) -> DataSet:
    raw = _read(spec, base)
    preprocess.check_heeded(spec.preprocess, raw.kind, source, sound=spec.features.kind is not None)
    raw = name_classes(raw, spec, base)
    parts, drawn = split(_prepared(raw, spec), spec, seed)
    return DataSet(
        source=source,
        kind=raw.kind,
        labels=raw.labels,
        names=raw.names,
        output_names=raw.output_names,
        diagnostics=(*raw.diagnostics, *_few_given(raw, spec)),
        description=_describe(spec, raw, parts, drawn, seed),
        **parts,
    )


def _read(spec: DataSpec, base: Path) -> Raw:
    source = str(spec.source)
    if is_entry(source):
        return data_npz.from_arrays(load_python(source, base), source, kind="python")
    path = base / source
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except ValueError:
        is_folder = is_file = False
    if is_folder:
        return _folder(path, spec, source)
    if not is_file:
        raise _absent(path, source)
    readers = {".npz": data_npz.read, ".csv": data_csv.read}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise bad_input(
            "EC261",
            f"`{path.name}` is not a kind of data that can be read",
            source,
            notes=("kinds: .npz, .csv, a folder of images or WAV files by class, `module:function`",),
            help=("save the arrays with `numpy.savez(..., x_train=..., y_train=..., x_test=..., y_test=...)`",),
        )
    return reader(path, spec, source)


def _folder(path: Path, spec: DataSpec, source: str) -> Raw:
    try:
        return data_folder.read(path, spec, source)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise bad_input("EC260", f"the folder `{source}` cannot be read: {reason}", source) from None


def _absent(path: Path, source: str) -> EdgecompileError:
    """EC260, to be raised; a pipe or a device is not opened: the one waits for its writer, the other never ends."""
    try:
        if path.is_symlink() and not path.exists():
            note = f"it is a symbolic link to `{path.readlink()}`, which leads to no file"
            return bad_input("EC260", f"there is no data at `{source}`", source, (note,), ("mend the link",))
        if path.exists():
            kind = "a named pipe" if path.is_fifo() else "a socket" if path.is_socket() else "a device"
            note = "data is read from files, folders and functions"
            return bad_input(
                "EC260", f"`{source}` is {kind}, not a file", source, (note,), ("write it into a file first",)
            )
    except (OSError, ValueError):
        pass
    return bad_input("EC260", f"there is no data at `{source}`", source, help=_near(path))


def _near(path: Path) -> tuple[str, ...]:
    try:
        beside = [other.name for other in path.parent.iterdir()]
    except (OSError, ValueError):
        return ("names are relative to the folder of the project file",)
    return did_you_mean(path.name, beside) or ("names are relative to the folder of the project file",)


def _prepared(raw: Raw, spec: DataSpec) -> dict[str, Split | None]:
    prepared: dict[str, Split | None] = {}
    _refuse_overflow(raw, str(spec.source))
    for name in ("train", "validation", "calibration", "test"):
        part: Split | None = getattr(raw, name)
        if part is not None:
            made = (data_features.apply(array, spec, str(spec.source)) for array in part.x)
            x = tuple(preprocess.apply(array, spec.preprocess, str(spec.source)) for array in made)
            part = replace(part, x=x)
        prepared[name] = part
    return prepared


def _refuse_overflow(raw: Raw, source: str) -> None:
    """Raises BadInputError EC268 for numbers that are finite as they are given, and not in float32."""
    largest = float(np.finfo(np.float32).max)

    def beyond(array: Array) -> Array | None:
        return np.isfinite(array) & (np.abs(array) > largest) if array.dtype.kind == "f" else None

    parts = {name: getattr(raw, name) for name in PARTS}
    wide = DataSet(source=source, kind=raw.kind, names=raw.names, **parts)
    found = spots(wide, "x", beyond) if any(_is_wide(part) for part in parts.values()) else ()
    if found:
        raise bad_input(
            "EC268",
            "the data holds values in `x` that are infinite in float32, which models compute with",
            source,
            notes=(f"limit: {largest:.4g} in size", *(told(spot) for spot in found)),
            help=("scale them in the source, or take these samples out",),
        )


def _is_wide(part: Split | None) -> bool:
    return part is not None and any(x.dtype.kind == "f" and x.dtype.itemsize > _FLOAT32_BYTES for x in part.x)


def _few_given(raw: Raw, spec: DataSpec) -> tuple[Diagnostic, ...]:
    """The user's own calibration samples are used whole, and said to be few where they are."""
    asked = spec.calibration_samples
    if raw.calibration is None or asked is None or len(raw.calibration) >= asked:
        return ()
    few = too_few_for_calibration(len(raw.calibration), asked, str(spec.source), "calibration part")
    return tuple(replace(diagnostic, severity=Severity.WARNING) for diagnostic in few.diagnostics)


def _describe(
    spec: DataSpec, raw: Raw, parts: dict[str, Split | None], drawn: dict[str, str], seed: int
) -> dict[str, Any]:
    there = {name: part for name, part in parts.items() if part is not None}
    sample = next(iter(there.values()))
    names = raw.names or tuple("" for _ in sample.x)
    return {
        "source": Path(str(spec.source)).name,
        "kind": raw.kind,
        "inputs": [
            {"name": name, "shape": list(x.shape[1:]), "dtype": str(x.dtype)}
            for name, x in zip(names, sample.x, strict=True)
        ],
        "preprocess": preprocess.describe(spec.preprocess),
        "splits": {name: {"samples": len(part), "from": drawn[name]} for name, part in there.items()},
        "labels": list(raw.labels),
        "seed": seed,
        **_features_of(raw, spec),
        **raw.facts,
    }


def _features_of(raw: Raw, spec: DataSpec) -> dict[str, Any]:
    """The front end that the samples went through, whole: who has this can compute it again."""
    part = raw.train or raw.test or raw.calibration
    if spec.features.kind is None or part is None:
        return {}
    return {"features": data_features.plan_for(part.x[0].shape[1:], spec, str(spec.source)).to_dict()}
