"""Split samples: test and validation apart from training, calibration drawn from training; seeded, by class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.project import DataSpec
from edgecompile.core.units import counted
from edgecompile.frontend.data_set import PARTS, Array, Origin, Split


def split(given: dict[str, Split | None], spec: DataSpec, seed: int) -> tuple[dict[str, Split | None], dict[str, str]]:
    """All four parts from those given, and for each where it came from.

    A part that the source has is taken as it is. Else ``spec.test`` is split off the training
    part, then ``spec.searched`` and ``spec.validation`` off what remains (never off the test part), and
    ``spec.calibration_samples`` are drawn from the rest (0: none are needed; None: the usual
    number, or all where that is less). Draws keep the share of each class where y holds class
    indices, and depend on ``seed`` alone. Raises BadInputError: EC264 counts of samples differ,
    EC265 a part is empty, EC270 fewer calibration samples than asked, EC283 too few to split.
    """
    source = str(spec.source)
    parts = dict.fromkeys(PARTS) | given
    for name, part in parts.items():
        if part is not None:
            _check_counts(name, part, source)
            parts[name] = _with_origin(name, part)
    origin = {name: "the source" for name, part in parts.items() if part is not None}
    # RandomState's streams are frozen by NumPy; Generator's may change with a release.
    random = np.random.RandomState(seed)
    shares = {"test": spec.test, "search": spec.searched, "validation": spec.validation}
    for name, share in shares.items():
        train = parts["train"]
        if parts.get(name) is None and train is not None and share > 0:
            taken = draw(train, _size(train, share, name, source), random)
            parts[name] = train.take(taken)
            parts["train"] = train.take(np.setdiff1d(np.arange(len(train)), taken))
            origin[name] = f"{share:g} of the training part, by class"
    if spec.as_test:
        parts["test"], origin["test"] = _searched(parts, source), origin.get("search", "")
    if parts["calibration"] is None and parts["train"] is not None and spec.most_calibration_samples:
        parts["calibration"] = _calibration(parts["train"], spec, random, source)
        origin["calibration"] = "the training part, drawn by class"
    return {name: parts[name] for name in PARTS}, origin


def _searched(parts: dict[str, Split | None], source: str) -> Split:
    held_out = parts.get("search")
    if held_out is not None:
        return held_out
    raise bad_input(
        "EC852",
        "there are no training samples for a search to judge by",
        source,
        notes=("a search holds out a share of the training part, so that the test part is not looked at",),
        help=("bring training samples along, as `x_train` and `y_train`",),
    )


def draw(part: Split, count: int, random: np.random.RandomState) -> Array:
    """Indices of ``count`` samples in random order: classes in proportion where y holds class indices."""
    classes = _classes(part)
    if classes is None:
        return random.permutation(len(part))[:count]
    names, sizes = np.unique(classes, return_counts=True)
    chosen = [
        random.permutation(np.flatnonzero(classes == name))[:quota]
        for name, quota in zip(names, _quotas(sizes, count), strict=True)
    ]
    return random.permutation(np.concatenate(chosen))


def _classes(part: Split) -> Array | None:
    y = part.y[0] if part.y else None
    if y is None:
        return None
    if (
        y.ndim == 2
        and y.shape[1] > 1
        and np.isfinite(y).all()
        and (y.sum(axis=1) == 1).all()
        and (y.max(axis=1) == 1).all()
    ):
        return np.asarray(y.argmax(axis=1))
    return y if y.ndim == 1 and y.dtype.kind in "biu" else None


def _quotas(sizes: Array, count: int) -> Array:
    """Largest remainders: whole numbers that sum to ``count`` and follow ``sizes``; none above its class."""
    exact = sizes * (count / sizes.sum())
    quotas = np.floor(exact).astype(np.int64)
    order = np.argsort(quotas - exact, kind="stable")
    quotas[order[: count - quotas.sum()]] += 1
    return np.minimum(quotas, sizes)


def _size(train: Split, share: float, name: str, source: str) -> int:
    size = round(len(train) * share)
    if 0 < size < len(train):
        return size
    raise bad_input(
        "EC283",
        f"{counted(len(train), 'sample')} cannot be split: {share:g} is to come off for {name}",
        Location(file=source, detail=f"[data] `{name}`"),
        notes=("at least one sample must fall on each side", f"found: {size} for {name}, {len(train) - size} left"),
        help=(f"give more samples, change `{name}`, or bring the part along as `x_{name}` and `y_{name}`",),
    )


def _calibration(train: Split, spec: DataSpec, random: np.random.RandomState, source: str) -> Split:
    asked = spec.calibration_samples
    if asked is not None and len(train) < asked:
        raise too_few_for_calibration(len(train), asked, source)
    return train.take(draw(train, min(spec.most_calibration_samples, len(train)), random))


def too_few_for_calibration(found: int, asked: int, source: str, where: str = "training part") -> EdgecompileError:
    """EC270, to be raised or told as a warning."""
    remains = " (what remains when test and validation are split off)" if where == "training part" else ""
    return bad_input(
        "EC270",
        f"{asked} calibration samples are asked for, and the {where} has {found}",
        Location(file=source, detail="[data] `calibration_samples`"),
        notes=(f"asked: {asked}", f"found: {found}{remains}"),
        help=(f"ask for {found}: `--calibration-samples {found}` or `calibration_samples = {found}`; or give more",),
    )


def _check_counts(name: str, part: Split, source: str) -> None:
    counts = {f"{axis}_{name}": len(array) if array.ndim else 0 for axis, array in _arrays(part)}
    if not all(counts.values()):
        empty = next(key for key, count in counts.items() if not count)
        raise bad_input(
            "EC265",
            f"`{empty}` holds no sample",
            Location(file=source, detail=f"array `{empty}`"),
            notes=(f"found: shape {next(list(array.shape) for axis, array in _arrays(part) if empty[0] == axis)}",),
            help=("give at least one sample, samples on the first axis, or leave the array out",),
        )
    if len({len(array) for _, array in _arrays(part)}) > 1:
        listed = ", ".join(f"{axis}_{name} {len(array)}" for axis, array in _arrays(part))
        raise bad_input(
            "EC264",
            f"the {name} part has different numbers of samples in its arrays",
            source,
            notes=(f"found: {listed}",),
            help=("the first axis of every array counts the samples: make it equal",),
        )


def _with_origin(name: str, part: Split) -> Split:
    if part.origin is not None:
        return part
    return replace(part, origin=Origin(part=name, rows=np.arange(len(part))))


def _arrays(part: Split) -> list[tuple[str, Array]]:
    return [("x", array) for array in part.x] + [("y", array) for array in part.y]
