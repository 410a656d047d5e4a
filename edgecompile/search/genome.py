"""The values that a search chooses between, one for each dimension; which of them pay on a target the profile says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecompile.core.recipe import NEEDS_CALIBRATION
from edgecompile.core.target import Target

Genome = Mapping[str, Any]
# To be raised whenever a genome would mean another recipe, or a study another answer: others are refused.
VERSION = 5
_CALIBRATIONS = ("minmax", "percentile", "mse")


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """``values`` in their order; ``ordered``: neighbours in it are alike."""

    name: str
    values: tuple[Any, ...]
    ordered: bool = False


def dimensions(target: Target, numerics: str | None, most_epochs: int) -> tuple[Dimension, ...]:
    """What there is to choose for a target. ``numerics``: those that the user insists on.

    A form of weights that the profile does not store (``weight_forms``, sparse weights among its rewrites) is left
    out: zeros and shared values that are stored as bytes buy nothing.
    """
    schemes = (numerics,) if numerics else target.numerics
    calibrated = any(scheme in NEEDS_CALIBRATION for scheme in schemes)
    found = (
        Dimension(name="numerics", values=tuple(schemes)),
        Dimension(name="calibration", values=_CALIBRATIONS if calibrated else _CALIBRATIONS[:1]),
        Dimension(name="batch_norm", values=(True, False)),
        Dimension(name="shape", values=("whole", "channels", "rank")),
        Dimension(name="kept", values=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9), ordered=True),
        Dimension(name="zeros", values=("none", *patterns(target))),
        Dimension(name="sparsity", values=_sparsities(target), ordered=True),
        Dimension(name="values", values=("all", *_shared(target))),
        Dimension(name="spared", values=(0, 1, 2, 3), ordered=True),
        Dimension(name="start", values=("as given", "finetune", "distill")),
        Dimension(name="epochs", values=tuple(sorted({0, most_epochs // 2, most_epochs})), ordered=True),
    )
    return tuple(one for one in found if one.name not in ("sparsity", "spared") or _has(found, "zeros", "values"))


def patterns(target: Target) -> tuple[str, ...]:
    """The patterns of zeros that the target leaves out when it stores weights."""
    blocks = ("block2x2",) if "block2x2" in target.weight_forms else ()
    return blocks + (("unstructured",) if "sparse_weights" in target.rewrites else ())


def key(genome: Genome) -> str:
    """Equal for equal genomes."""
    return ",".join(f"{name}={genome[name]}" for name in sorted(genome))


def nearest(dimension: Dimension, value: Any) -> Any:
    """The value itself, or of an ordered dimension the closest one; else the first."""
    if value in dimension.values or not dimension.ordered:
        return value if value in dimension.values else dimension.values[0]
    return min(dimension.values, key=lambda one: (abs(one - value), one))


def complete(space: Sequence[Dimension], chosen: Genome) -> dict[str, Any]:
    """A value for every dimension: the chosen one or its nearest, else the first, for ``epochs`` 0."""
    return {one.name: nearest(one, chosen.get(one.name, one.values[0])) for one in space}


def _sparsities(target: Target) -> tuple[float, ...]:
    low = (0.2, 0.3, 0.4, 0.5, 0.52, 0.6, 0.62) if "block2x2" in target.weight_forms else ()
    return (*low, 0.7, 0.8, 0.9)


def _shared(target: Target) -> tuple[Any, ...]:
    """Values that a tensor's weights share; ``4 bits`` are integers from -7 to 7."""
    few = (16, 15, "4 bits") if "shared4" in target.weight_forms else ()
    return few + ((4,) if "shared2" in target.weight_forms else ())


def _has(found: Sequence[Dimension], *names: str) -> bool:
    return any(one.name in names and len(one.values) > 1 for one in found)
