"""Read arrays by name (``x_train``, ``y_train``, ``x_test``, ...) from a file or from a dictionary."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.core.project import DataSpec
from edgecompile.core.units import counted
from edgecompile.frontend.data_set import PARTS, Array, Raw, Split
from edgecompile.ir.spelling import printable

CLASSES = "labels"
# Masks of zeros and ones are packed to a hundredth, and no samples to less; small files are let through.
_MOST_RATIO = 500
_RATIO_COUNTS_FROM_BYTES = 64 << 20
_KEYS = tuple(f"{axis}_{part}" for part in PARTS for axis in "xy")


def read(path: Path, spec: DataSpec, source: str) -> Raw:
    """The arrays of an ``.npz`` file, each read once; nothing in it is unpickled.

    Raises BadInputError: EC262 when the file is no whole ``.npz``, and what :func:`from_arrays` raises.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_ratio(archive, source)
            arrays = {name: _array(archive, name, source) for name in archive.namelist() if _wanted(name)}
    except EdgecompileError:
        raise
    # A damaged archive raises whatever its readers (zip, deflate, NumPy's header) trip over first.
    except Exception as error:
        raise bad_input(
            "EC262",
            f"`{source}` is not a whole .npz file",
            source,
            notes=(
                f"reading stopped with: {printable(str(error)[:200])}",
                f"the file has {counted(path.stat().st_size, 'byte')}",
            ),
            help=("write it again with `numpy.savez`; an interrupted copy or download leaves such a file",),
        ) from None
    return from_arrays({name.removesuffix(".npy"): array for name, array in arrays.items()}, source, kind="npz")


def from_arrays(arrays: Mapping[str, Any], source: str, kind: str) -> Raw:
    """Arrays sorted into splits by their names.

    ``x_train_<input>`` and ``y_train_<output>`` name the inputs and outputs of a model with
    several. ``labels`` may hold the class names. Raises BadInputError: EC262 for an array of
    objects, EC263 when no x is there or the splits disagree about the inputs.
    """
    for name, array in arrays.items():
        _refuse_objects(name, np.asarray(array), source)
    parts = {part: _grouped(arrays, part) for part in PARTS}
    names, output_names = _names(parts, "x", source), _names(parts, "y", source)
    if not any(part["x"] for part in parts.values()):
        raise _no_inputs(arrays, source)
    splits: dict[str, Any] = {
        part: _split(groups, names, output_names) for part, groups in parts.items() if groups["x"]
    }
    return Raw(
        kind=kind,
        labels=_class_names(arrays),
        names=tuple(name for name in names if name),
        output_names=tuple(name for name in output_names if name),
        diagnostics=_unused(arrays, parts, source),
        **splits,
    )


def _check_ratio(archive: zipfile.ZipFile, source: str) -> None:
    unpacked = sum(member.file_size for member in archive.infolist())
    packed = max(1, sum(member.compress_size for member in archive.infolist()))
    if unpacked > _RATIO_COUNTS_FROM_BYTES and unpacked > _MOST_RATIO * packed:
        raise bad_input(
            "EC262",
            f"`{source}` unpacks to far more than it holds",
            source,
            notes=(f"limit {_MOST_RATIO} unpacked bytes for each packed one, found {unpacked // packed}",),
            help=("save it with `numpy.savez` instead of `savez_compressed` if the arrays are like that",),
        )


def _class_names(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    """Texts under ``labels``; numbers there are somebody's y, and are told as unused."""
    names = np.asarray(arrays.get(CLASSES, ()))
    return tuple(names.astype(str).reshape(-1).tolist()) if names.dtype.kind in "US" else ()


def _wanted(name: str) -> bool:
    return name.endswith(".npy")


def _array(archive: zipfile.ZipFile, name: str, source: str) -> Array:
    with archive.open(name) as stream:
        try:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)  # type: ignore[no-untyped-call]
        except ValueError as error:
            if "allow_pickle" in str(error):
                raise _objects(name.removesuffix(".npy"), source) from None
            raise
    return array


def _refuse_objects(name: str, array: Array, source: str) -> None:
    if array.dtype.kind not in "biufUS" or not array.dtype.itemsize:
        raise _objects(name, source)
    if array.dtype.kind in "US" and not _is_text(array):
        raise bad_input(
            "EC262",
            f"`{name}` holds texts with characters that there are not",
            Location(file=source, detail=f"array `{name}`"),
            notes=("limit: ASCII in arrays of bytes, Unicode up to U+10FFFF in arrays of texts",),
            help=("write the file again",),
        )


def _is_text(array: Array) -> bool:
    """NumPy believes any number to be a character, and breaks when it is asked for it."""
    if array.dtype.kind == "S":
        return bool(np.frombuffer(array.tobytes(), np.uint8).max(initial=0) < 0x80)
    codes = np.frombuffer(array.tobytes(), array.dtype.byteorder.replace("|", "=") + "u4")
    return bool(codes.max(initial=0) < 0x110000) and not bool(((codes >= 0xD800) & (codes < 0xE000)).any())


def _objects(name: str, source: str) -> EdgecompileError:
    return bad_input(
        "EC262",
        f"`{name}` holds Python objects or another type that is not plain numbers",
        Location(file=source, detail=f"array `{name}`"),
        notes=("unpickling objects would run code from the file; lists of different lengths become objects",),
        help=("save it as one array of numbers: every sample of the same shape",),
    )


def _grouped(arrays: Mapping[str, Any], part: str) -> dict[str, dict[str, Array]]:
    """``{"x": {input name or "": array}, "y": ...}`` of one part."""
    found: dict[str, dict[str, Array]] = {"x": {}, "y": {}}
    for key, array in arrays.items():
        for axis in "xy":
            stem = f"{axis}_{part}"
            if key == stem or key.startswith(f"{stem}_"):
                found[axis][key[len(stem) + 1 :]] = np.asarray(array)
    return found


def _names(parts: Mapping[str, Mapping[str, Mapping[str, Array]]], axis: str, source: str) -> tuple[str, ...]:
    """The names of one axis in sorted order, the same in every part that has any."""
    known: dict[str, tuple[str, ...]] = {
        part: tuple(sorted(groups[axis])) for part, groups in parts.items() if groups[axis]
    }
    distinct = set(known.values())
    if len(distinct) > 1 or any("" in names and len(names) > 1 for names in distinct):
        listed = [
            f"{part}: {', '.join(f'{axis}_{part}_{n}'.rstrip('_') for n in names)}" for part, names in known.items()
        ]
        raise bad_input(
            "EC263",
            f"the parts disagree about the names after `{axis}_`",
            source,
            notes=listed,
            help=(f"give every part the same names, as in `{axis}_train_left` and `{axis}_test_left`",),
        )
    return next(iter(distinct), ())


def _split(groups: Mapping[str, Mapping[str, Array]], names: tuple[str, ...], outputs: tuple[str, ...]) -> Split:
    y = tuple(groups["y"][name] for name in outputs) if groups["y"] else ()
    return Split(x=tuple(groups["x"][name] for name in names), y=y)


def _no_inputs(arrays: Mapping[str, Any], source: str) -> EdgecompileError:
    near = next((hint for key in arrays for hint in did_you_mean(key, ("x_train", "x_test"))), None)
    return bad_input(
        "EC263",
        "there is no array `x_train` or `x_test`",
        source,
        notes=(f"found {', '.join(f'`{key}`' for key in sorted(arrays)[:12]) or 'no array at all'}",),
        help=(
            *((near,) if near else ()),
            "name the arrays x_train, y_train, x_test, y_test and, where wanted, x_calibration",
        ),
    )


def _unused(arrays: Mapping[str, Any], parts: Mapping[str, Any], source: str) -> tuple[Diagnostic, ...]:
    """A warning for each array that no split took: a misspelt name must not lose data in silence."""
    orphans = [key for key in arrays if not key.startswith(_KEYS) and not (key == CLASSES and _class_names(arrays))]
    orphans += [f"y_{part}" for part, groups in parts.items() if groups["y"] and not groups["x"]]
    return tuple(
        Diagnostic(
            code="EC263",
            message=f"the array `{key}` is not used",
            severity=Severity.WARNING,
            location=Location(file=source, detail=f"array `{key}`"),
            help=did_you_mean(key, _KEYS),
        )
        for key in orphans
    )
