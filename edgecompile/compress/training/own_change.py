"""A change of training samples that is the user's own function: found, called with seeds, its answers checked."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.training.draws import Draws
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean

Array = np.ndarray[Any, Any]
Arrays = tuple[Array, ...]
SIGNATURE = "function(x, y, seeds) -> x, or (x, y)"


def is_own(name: str) -> bool:
    """Whether a name of ``augment`` is ``module:function`` or ``file.py:function``."""
    return ":" in name


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnChange:
    """``function(x, y, seeds)`` under its ``name``; ``source`` is its module's text, by which checkpoints are found.

    ``x`` is an array, samples first, or a tuple of them where the network has several inputs; ``y`` are the labels
    likewise, class indices as one-hot rows, None without labels. ``seeds`` is ``uint64[n]``: each sample's own in each
    epoch, whichever batch it comes in. What it gives has the shapes that it was given.
    """

    name: str
    function: Callable[..., Any]
    source: str

    def __call__(self, x: Arrays, targets: Arrays, draws: Draws, stream: int) -> tuple[Arrays, Arrays]:
        """The batch after the change. Raises BadInputError EC318 where the function fails or gives other shapes."""
        seeds = (draws.uniform(stream)[:, 0] * 2.0**53).astype(np.uint64)
        try:
            answer = self.function(_one_or_all(x), _one_or_all(targets) if targets else None, seeds)
        except MemoryError:  # no fault of the function's: training ran out of memory
            raise
        # The user's code may raise anything, and exit too; it is told with its line.
        except (Exception, SystemExit) as error:
            raise _unusable(self.name, "failed", error) from error
        labelled = bool(targets) and isinstance(answer, tuple) and len(answer) == 2 and not _is_all(answer, x)
        changed, labels = answer if labelled else (answer, targets)
        return self._fitted(changed, x, "samples"), self._fitted(labels, targets, "labels")

    def _fitted(self, found: Any, given: Arrays, what: str) -> Arrays:
        parts = found if isinstance(found, (tuple, list)) else (found,) if given else ()
        if len(parts) != len(given):
            raise _other(self.name, what, f"{len(given)} arrays", f"{len(parts)}")
        made = []
        for part, old in zip(parts, given, strict=True):
            array = np.asarray(part)
            if array.shape != old.shape or array.dtype.kind not in "fiub":
                raise _other(self.name, what, f"{old.dtype}{list(old.shape)}", f"{array.dtype}{list(array.shape)}")
            made.append(array.astype(old.dtype))
        return tuple(made)


def find(name: str, base: Path) -> OwnChange:
    """The user's function; relative files start at ``base``. Raises BadInputError EC318 where it is not there."""
    module_name, _, function_name = name.rpartition(":")
    path = base / module_name
    in_file = module_name.endswith(".py")
    sys.path.insert(0, str(path.parent if in_file else base))
    try:
        module = importlib.import_module(path.stem if in_file else module_name)
    except (Exception, SystemExit) as error:
        raise _unusable(name, "cannot be imported", error) from error
    finally:
        sys.path.pop(0)
    function = getattr(module, function_name, None)
    if not callable(function):
        public = [each for each in vars(module) if callable(getattr(module, each)) and not each.startswith("_")]
        near = did_you_mean(function_name, public) or (f"define it there: {SIGNATURE}",)
        raise _refused(name, f"`{module_name}` has no function `{function_name}`", (), near)
    file = getattr(module, "__file__", None)
    return OwnChange(name=name, function=function, source=Path(file).read_text("utf-8", "replace") if file else "")


def _one_or_all(arrays: Arrays) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def _is_all(answer: Sequence[Any], x: Arrays) -> bool:
    """Whether a pair is the two inputs of a network rather than samples and labels."""
    return len(x) == 2 and not any(isinstance(part, (tuple, list)) for part in answer)


def _other(name: str, what: str, limit: str, found: str) -> EdgecompileError:
    notes = (f"it must give {what} as they were given: {limit}", f"found: {found}")
    return _refused(name, f"it gives other {what} than it was given", notes, (f"write it as {SIGNATURE}",))


def _unusable(name: str, what: str, error: BaseException) -> EdgecompileError:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    frames = [frame for frame in frames if "importlib" not in frame.filename]
    place = (f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {frames[-1].line}",) if frames else ()
    notes = (f"{type(error).__name__}: {str(error)[:300]}", *place)
    return _refused(name, f"it {what}", notes, (f"it is called as {SIGNATURE}",))


def _refused(name: str, why: str, notes: tuple[str, ...], help: tuple[str, ...]) -> EdgecompileError:
    location = Location(detail="`augment`")
    return bad_input("EC318", f"samples cannot be changed by `{name}`: {why}", location, notes, help)
