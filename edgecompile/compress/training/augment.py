"""Random changes of training samples that leave their meaning alone, each sample's own in each epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.training.draws import Draws
from edgecompile.compress.training.labels import Task
from edgecompile.compress.training.own_change import find, is_own
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input

Array = np.ndarray[Any, Any]
Batch = tuple[tuple[Array, ...], tuple[Array, ...]]

Change = Callable[[tuple[Array, ...], tuple[Array, ...], Draws, int], Batch]

_NOISE = 0.05  # of the sample's own standard deviation
_STREAMS = 64  # of random numbers for each change: one for each input at most


def changes_of(names: Sequence[str], base: Path) -> tuple[Change, ...]:
    """The changes named: those that come along, and the user's own. Raises BadInputError EC318 for one not there."""
    return tuple(find(name, base) if is_own(name) else AUGMENTATIONS[name] for name in names)


def augment(changes: Sequence[Change], x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws) -> Batch:
    """A batch after the changes, in that order; ``targets`` change along where they must (flip, mixup)."""
    for place, change in enumerate(changes):
        x, targets = change(x, targets, draws, _STREAMS * place)
    return x, targets


def check(names: Sequence[str], x: Sequence[Array], tasks: Sequence[Task]) -> None:
    """Raises BadInputError EC318 for a change that none of the inputs can have, or that labels cannot follow."""
    for name in (name for name in names if not is_own(name)):
        fits = _FITS.get(name, _is_float)
        if not any(fits(array) for array in x):
            raise _refused(name, "no input has the shape and the type for it", _needs(name), _listed(x))
        if name in ("shift", "time_shift") and any(len(task.end.shape) > 1 for task in tasks):
            raise _refused(name, "labels have places, which would no longer match", "labels of whole samples", "a map")


def _flip(x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws, stream: int) -> Batch:
    """Left for right in half of the samples; label maps of the same height and width turn with them."""
    turned = draws.uniform(stream)[:, 0] < 0.5
    sides = {array.shape[1:3] for array in x if _is_image(array)}
    return (
        tuple(_where(turned, array, array[:, :, ::-1]) if _is_image(array) else array for array in x),
        tuple(_where(turned, y, y[:, :, ::-1]) if y.ndim > 2 and y.shape[1:3] in sides else y for y in targets),
    )


def _shift(x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws, stream: int) -> Batch:
    """Up to an eighth of height and width, the edge repeated: the crop of a padded image."""

    def moved(array: Array) -> Array:
        height, width = array.shape[1:3]
        rows = _moved(height, draws.integers(stream, height // 8))
        columns = _moved(width, draws.integers(stream + 1, width // 8))
        cropped: Array = array[np.arange(len(array))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return cropped

    return tuple(moved(array) if _is_image(array) else array for array in x), targets


def _time_shift(x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws, stream: int) -> Batch:
    """Up to a tenth of the first axis, the edge repeated."""

    def moved(array: Array) -> Array:
        steps = _moved(array.shape[1], draws.integers(stream, array.shape[1] // 10))
        late: Array = array[np.arange(len(array))[:, None], steps]
        return late

    return tuple(moved(array) if _has_time(array) else array for array in x), targets


def _noise(x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws, stream: int) -> Batch:
    def noisy(place: int, array: Array) -> Array:
        flat = array.reshape(len(array), -1)
        normal = draws.normal(stream + place, flat.shape[1])
        changed: Array = flat + _NOISE * flat.std(axis=1, keepdims=True) * normal
        return changed.astype(array.dtype).reshape(array.shape)

    return tuple(noisy(place, array) if _is_float(array) else array for place, array in enumerate(x)), targets


def _mixup(x: tuple[Array, ...], targets: tuple[Array, ...], draws: Draws, stream: int) -> Batch:
    """Each sample and its neighbour in the batch, and their labels, in shares of Beta(1/2, 1/2).

    Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018.
    """
    share = np.sin(np.pi / 2 * draws.uniform(stream)[:, 0]) ** 2

    def mixed(array: Array) -> Array:
        weight = share.reshape(-1, *[1] * (array.ndim - 1))
        mean: Array = weight * array + (1 - weight) * np.roll(array, 1, axis=0)
        return mean.astype(array.dtype)

    return tuple(mixed(array) if _is_float(array) else array for array in x), tuple(mixed(y) for y in targets)


AUGMENTATIONS: Mapping[str, Change] = {
    "flip": _flip,
    "shift": _shift,
    "noise": _noise,
    "mixup": _mixup,
    "time_shift": _time_shift,
}


def _is_float(array: Array) -> bool:
    return bool(array.dtype.kind == "f")


def _is_image(array: Array) -> bool:
    return _is_float(array) and array.ndim == 4


def _has_time(array: Array) -> bool:
    return _is_float(array) and array.ndim >= 2 and array.shape[1] >= 10


_FITS: Mapping[str, Callable[[Array], bool]] = {"flip": _is_image, "shift": _is_image, "time_shift": _has_time}


def _moved(size: int, by: Array) -> Array:
    places: Array = np.clip(np.arange(size)[None, :] + by[:, None], 0, size - 1)
    return places


def _where(chosen: Array, array: Array, other: Array) -> Array:
    changed: Array = np.where(chosen.reshape(-1, *[1] * (array.ndim - 1)), other, array)
    return changed


def _needs(name: str) -> str:
    if name in ("flip", "shift"):
        return "a float input [h, w, c]"
    return "a float input of 10 steps or more" if name == "time_shift" else "a float input"


def _listed(x: Sequence[Array]) -> str:
    return ", ".join(f"{array.dtype}{list(array.shape[1:])}" for array in x)


def _refused(name: str, message: str, limit: str, found: str) -> Exception:
    return bad_input(
        "EC318",
        f"samples cannot be changed by `{name}`: {message}",
        location=Location(detail="`augment`"),
        notes=(f"`{name}` takes: {limit}", f"found: {found}"),
        help=(f"take `{name}` out of `augment`",),
    )
