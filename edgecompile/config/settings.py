"""Every setting of a build: its name, what it may hold, and where in a ``Project`` it lives.

Names are those of flags and origins: ``seed`` stands in the file's [project], ``data.source`` in
its [data]. The environment variable is ``EDGECOMPILE_`` and the name in capitals, dots as underscores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgecompile.config.table import Key
from edgecompile.core.project import FEATURES, GOALS, TRAIN_ON, Project
from edgecompile.core.recipe import CALIBRATIONS, NUMERICS
from edgecompile.core.units import parse_size

PREFIX = "EDGECOMPILE_"
IO_DTYPES = ("int8", "uint8", "int16", "float32")
METRICS = ("top1", "mse", "auc", "miou")
# Those that are shares of 1.
SHARES = ("top1", "auc", "miou")
COLORS = ("rgb", "grayscale")
# NumPy's and TensorFlow's generators take seeds of 32 bits.
_LARGEST_SEED = 2**32 - 1
_ENTRY = re.compile(r"^(?P<module>.+\.py|[A-Za-z_][\w.]*):(?P<function>[A-Za-z_]\w*)$")


def _as_given(value: Any, base: Path) -> Any:
    return value


def _path(value: str, base: Path) -> str:
    return str((base / Path(value).expanduser()).absolute())


def _path_or_entry(value: str, base: Path) -> str:
    """An absolute path, or ``module:function`` with the path absolute where the module is a file."""
    match = _ENTRY.match(value)
    if match is None:
        return _path(value, base)
    return f"{_path(match['module'], base)}:{match['function']}" if match["module"].endswith(".py") else value


def _path_or_module(value: str, base: Path) -> str:
    return _path(value, base) if value.endswith(".py") or "/" in value else value


def _metric(value: str, base: Path) -> str:
    return value if value in METRICS else _path_or_entry(value, base)


def _numbers(value: Any, base: Path) -> tuple[float, ...]:
    return tuple(float(number) for number in value) if isinstance(value, (list, tuple)) else (float(value),)


def _distinct(value: Any, base: Path) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(value))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """``field`` is the attribute path in a ``Project``; ``convert`` makes its value from the checked one and the
    folder that relative names are read from. ``flag_only``: neither a file nor the environment may set it."""

    key: Key
    field: tuple[str, ...]
    convert: Callable[[Any, Path], Any] = _as_given
    flag_only: bool = False


def _text(*field: str, convert: Callable[[Any, Path], Any] = _as_given, choices: tuple[str, ...] = ()) -> Setting:
    return Setting(key=Key(kind="text", choices=choices), field=field, convert=convert)


def _share(*field: str) -> Setting:
    return Setting(key=Key(kind="number", minimum=0, below=1), field=field)


def _count(*field: str) -> Setting:
    return Setting(key=Key(kind="integer", minimum=1, maximum=2**31 - 1), field=field)


def _size(*field: str) -> Setting:
    return Setting(key=Key(kind="size"), field=field, convert=lambda value, base: parse_size(value))


def _confirmed(*field: str) -> Setting:
    return Setting(key=Key(kind="flag"), field=field, flag_only=True)


SETTINGS: Mapping[str, Setting] = {
    "model": _text("model", convert=_path_or_entry),
    "custom": _text("custom", convert=_path_or_module),
    "input_shape": Setting(key=Key(kind="shapes"), field=("input_shape",), convert=lambda value, base: tuple(value)),
    "targets": Setting(key=Key(kind="texts"), field=("targets",), convert=_distinct),
    "recipe": _text("recipe"),
    "output": _text("output", convert=lambda value, base: Path(_path(value, base))),
    "seed": Setting(key=Key(kind="integer", minimum=0, maximum=_LARGEST_SEED), field=("seed",)),
    "numerics": _text("numerics", choices=NUMERICS),
    "io_dtype": _text("io_dtype", choices=IO_DTYPES),
    "calibration": _text("calibration", choices=CALIBRATIONS),
    "min_runtime": _text("min_runtime"),
    "optimize": _text("optimize", choices=GOALS),
    "train_on": _text("train_on", choices=TRAIN_ON),
    "no_rewrite": Setting(key=Key(kind="texts"), field=("no_rewrite",), convert=_distinct),
    "emit": Setting(key=Key(kind="texts"), field=("emit",), convert=_distinct),
    "trust": _confirmed("trust"),
    "random_calibration": _confirmed("random_calibration"),
    "data.source": _text("data", "source", convert=_path_or_entry),
    "data.labels": _text("data", "labels", convert=_path),
    "data.validation": _share("data", "validation"),
    "data.test": _share("data", "test"),
    "data.calibration_samples": _count("data", "calibration_samples"),
    "data.target_column": Setting(
        key=Key(kind="text_or_integer"), field=("data", "target_column"), convert=lambda value, base: str(value)
    ),
    "data.preprocess.scale": Setting(
        key=Key(kind="number_or_numbers"), field=("data", "preprocess", "scale"), convert=_numbers
    ),
    "data.preprocess.offset": Setting(
        key=Key(kind="number_or_numbers"), field=("data", "preprocess", "offset"), convert=_numbers
    ),
    "data.preprocess.resize": Setting(
        key=Key(kind="integers", minimum=1, maximum=65535, lengths=(2,)),
        field=("data", "preprocess", "resize"),
        convert=lambda value, base: tuple(value),
    ),
    "data.preprocess.color": _text("data", "preprocess", "color", choices=COLORS),
    "data.preprocess.sample_rate": _count("data", "preprocess", "sample_rate"),
    "data.preprocess.length": _count("data", "preprocess", "length"),
    "data.features.kind": _text("data", "features", "kind", choices=FEATURES),
    "data.features.window": _count("data", "features", "window"),
    "data.features.step": _count("data", "features", "step"),
    "data.features.bands": _count("data", "features", "bands"),
    "data.features.low_hz": Setting(key=Key(kind="number", minimum=0), field=("data", "features", "low_hz")),
    "data.features.high_hz": Setting(key=Key(kind="number", minimum=0), field=("data", "features", "high_hz")),
    "data.features.coefficients": _count("data", "features", "coefficients"),
    "accuracy.metric": _text("accuracy", "metric", convert=_metric),
    "accuracy.max_drop": Setting(key=Key(kind="number", minimum=0), field=("accuracy", "max_drop")),
    "budget.flash": _size("budget", "flash_bytes"),
    "budget.ram": _size("budget", "ram_bytes"),
    "compiler.command": _text("compiler", "command"),
    "compiler.enabled": Setting(key=Key(kind="flag"), field=("compiler", "enabled")),
    "compiler.timeout_s": _count("compiler", "timeout_s"),
    "android.package": _text("android", "package"),
    "android.module": _text("android", "module", convert=lambda value, base: Path(_path(value, base))),
    "android.download_limit": _size("android", "download_limit_bytes"),
}


def variable(name: str) -> str:
    """The environment variable of a setting: ``EDGECOMPILE_DATA_SOURCE``."""
    return PREFIX + name.upper().replace(".", "_")


def keys_of(table: str) -> dict[str, Key]:
    """The keys of a table of the project file; ``table`` is its dotted name: project, data, data.preprocess, ..."""
    prefix = "" if table == "project" else f"{table}."
    found = {}
    for name, setting in SETTINGS.items():
        key = name.removeprefix(prefix)
        if name.startswith(prefix) and "." not in key and not setting.flag_only:
            found[key] = setting.key
    return found


def is_entry(value: str) -> bool:
    """Whether a text names a function: ``module:function`` or ``file.py:function``."""
    return _ENTRY.match(value) is not None


def put(project: Project, name: str, value: Any, base: Path) -> Project:
    """The project with one setting changed; ``value`` was checked, relative names start at ``base``."""
    setting = SETTINGS[name]
    changed: Project = _replaced(project, setting.field, setting.convert(value, base))
    return changed


def _replaced(holder: Any, field: tuple[str, ...], value: Any) -> Any:
    if len(field) > 1:
        value = _replaced(getattr(holder, field[0]), field[1:], value)
    return replace(holder, **{field[0]: value})
