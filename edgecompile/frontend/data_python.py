"""Data from the user's own code: run ``module:function`` or ``file.py:function`` and take its arrays."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean

_ENTRY = re.compile(r"^(?P<module>.+\.py|[A-Za-z_][\w.]*):(?P<function>[A-Za-z_]\w*)$")
_ACCEPTED = "a dictionary of arrays (x_train, y_train, x_test, y_test, ...) or ((x_train, y_train), (x_test, y_test))"


def is_entry(source: str) -> bool:
    """Whether a source names a function rather than a file."""
    return _ENTRY.match(source) is not None


def load_python(entry: str, base: Path) -> dict[str, Any]:
    """The arrays that the function returns, by the names of an ``.npz``.

    The function is called without arguments; modules are looked for in ``base`` first. It runs
    the user's code in this process. Raises BadInputError: EC279 when the function cannot be
    found or fails, EC280 when it returns something else.
    """
    function = _find(entry, base)
    try:
        returned = function()
    # The user's code may raise anything, and exit too; it is theirs to fix, so it is told with its line.
    except (Exception, SystemExit) as error:
        raise _failed(entry, "the function failed", error) from error
    return _named(returned, entry)


def _find(entry: str, base: Path) -> Callable[[], Any]:
    match = _ENTRY.match(entry)
    if match is None:
        raise bad_input("EC279", f"`{entry}` does not name a function", entry, help=("write `module:function`",))
    module = _import(entry, match["module"], base)
    function = getattr(module, match["function"], None)
    if not callable(function):
        public = [name for name in vars(module) if callable(getattr(module, name)) and not name.startswith("_")]
        raise bad_input(
            "EC279",
            f"`{match['module']}` has no function `{match['function']}`",
            entry,
            help=did_you_mean(match["function"], public) or (f"define `def {match['function']}():` there",),
        )
    found: Callable[[], Any] = function
    return found


def _import(entry: str, module: str, base: Path) -> Any:
    folder = str((base / module).parent if module.endswith(".py") else base)
    sys.path.insert(0, folder)
    try:
        return _from_file(entry, base / module) if module.endswith(".py") else importlib.import_module(module)
    except EdgecompileError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(entry, f"`{module}` cannot be imported", error) from error
    finally:
        sys.path.remove(folder)


def _from_file(entry: str, path: Path) -> Any:
    if not path.is_file():
        beside = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
        near = did_you_mean(path.name, beside) or ("names are relative to the folder of the project file",)
        raise bad_input("EC279", f"there is no file `{path.name}`", entry, help=near)
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None and found.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(found)
    # Registered under its name, so that its classes can be pickled and dataclasses resolve.
    sys.modules[path.stem] = module
    found.loader.exec_module(module)
    return module


def _failed(entry: str, what: str, error: BaseException) -> EdgecompileError:
    own = str(Path(__file__))
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename != own and "importlib" not in f.filename
    ]
    place = (f"{frames[-1].filename}, line {frames[-1].lineno}: {frames[-1].line}",) if frames else ()
    return bad_input(
        "EC279",
        f"data from `{entry}`: {what}",
        entry,
        notes=(f"{type(error).__name__}: {str(error)[:300]}", *place),
        help=("run the function by itself in Python to see the whole traceback",),
    )


def _named(returned: Any, entry: str) -> dict[str, Any]:
    if isinstance(returned, dict) and all(isinstance(key, str) for key in returned):
        return {key: _array(key, value, entry) for key, value in returned.items()}
    pairs = returned if isinstance(returned, (tuple, list)) else ()
    if len(pairs) == 2 and all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        (x_train, y_train), (x_test, y_test) = pairs
        given = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
        return {key: _array(key, value, entry) for key, value in given.items()}
    raise bad_input(
        "EC280",
        f"`{entry}` returned a `{type(returned).__name__}` that does not say which arrays are which",
        entry,
        notes=(f"accepted: {_ACCEPTED}",),
        help=("return a dictionary of NumPy arrays; turn a tf.data.Dataset into arrays first",),
    )


def _array(key: str, value: Any, entry: str) -> Any:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        array = None
        reason = str(error)[:200]
    if array is not None and array.dtype.kind in "biufUS":
        return array
    found = f"an array of {array.dtype}" if array is not None else reason
    raise bad_input(
        "EC280",
        f"`{entry}` returned a `{key}` that is not an array of numbers",
        Location(file=entry, detail=f"array `{key}`"),
        notes=(f"found: {found}",),
        help=("return NumPy arrays in which every sample has the same shape",),
    )
