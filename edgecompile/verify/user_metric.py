"""A metric of the user's own, run in a child process: it may import what it likes."""

from __future__ import annotations

import importlib
import importlib.util
import math
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean


def score(entry: str, base: str, folder: str, count: int) -> dict[str, Any]:
    """``entry(truth_<i>.npy, output_<i>.npy)`` of ``folder`` for every i. Raises BadInputError EC716."""
    function = _find(entry, Path(base))
    values = []
    for index in range(count):
        truth, output = (np.load(Path(folder) / f"{part}_{index}.npy") for part in ("truth", "output"))
        try:
            found = function(truth, output)
        # The user's code may raise anything, and exit too; it is told with its line.
        except (Exception, SystemExit) as error:
            raise _unusable(entry, "failed", error) from error
        values.append(_number(entry, found))
    return {"values": values, "higher_is_better": bool(getattr(function, "higher_is_better", True))}


def _find(entry: str, base: Path) -> Callable[..., Any]:
    module_name, _, name = entry.rpartition(":")
    folder = str((base / module_name).parent if module_name.endswith(".py") else base)
    sys.path.insert(0, folder)
    try:
        stem = Path(module_name).stem if module_name.endswith(".py") else module_name
        module = importlib.import_module(stem)
    except (Exception, SystemExit) as error:
        raise _unusable(entry, "cannot be imported", error) from error
    function = getattr(module, name, None)
    if not callable(function):
        public = [each for each in vars(module) if callable(getattr(module, each)) and not each.startswith("_")]
        help = did_you_mean(name, public) or (f"define `def {name}(y_true, y_pred):` there",)
        raise bad_input("EC716", f"`{module_name}` has no function `{name}`", entry, help=help)
    found: Callable[..., Any] = function
    return found


def _number(entry: str, found: Any) -> float:
    try:
        value = float(found)
    except (TypeError, ValueError):
        value = math.nan
    if math.isfinite(value):
        return value
    raise bad_input(
        "EC716",
        f"the metric `{entry}` gave no finite number",
        entry,
        notes=(f"found: {str(found)[:100]}, a `{type(found).__name__}`",),
        help=("return one float: function(y_true, y_pred) -> float",),
    )


def _unusable(entry: str, what: str, error: BaseException) -> EdgecompileError:
    own = str(Path(__file__))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != own]
    places = [f for f in frames if "importlib" not in f.filename]
    place = (f"{Path(places[-1].filename).name}, line {places[-1].lineno}: {places[-1].line}",) if places else ()
    return bad_input(
        "EC716",
        f"the metric `{entry}` {what}",
        entry,
        notes=(f"{type(error).__name__}: {str(error)[:300]}", *place),
        help=("run the function by itself in Python to see the whole traceback",),
    )
