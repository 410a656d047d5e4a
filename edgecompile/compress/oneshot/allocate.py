"""How many zeros each layer takes: global scores (LAMP), one rate for all, or rates by the layer's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgecompile.compress.oneshot.masks import units

Array = np.ndarray[Any, Any]
ALLOCATIONS = ("lamp", "uniform", "erdos-renyi")


def rates(scores: Mapping[str, Array], sparsity: float, pattern: str, allocation: str, most: float) -> dict[str, float]:
    """The share of zeros of each tensor (its key), such that ``sparsity`` of all their weights are zero.

    ``scores`` have the shape of the weights: w², or a saliency in its place. No tensor loses more than ``most``, so the
    sum can stay below ``sparsity`` where that binds everywhere.
    """
    if pattern == "2:4":
        return dict.fromkeys(scores, 0.5)
    if allocation == "uniform":
        return dict.fromkeys(scores, min(sparsity, most))
    sizes = {key: array.size for key, array in scores.items()}
    if allocation == "erdos-renyi":
        return _erdos_renyi({key: array.shape for key, array in scores.items()}, sparsity, most)
    return _by_global_score({key: lamp(units(array, pattern)) for key, array in scores.items()}, sizes, sparsity, most)


def lamp(scores: Array) -> Array:
    """Scores made comparable between layers: s_u / Σ s_v over all v of the layer whose score is not less.

    Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", 2021, eq. 4.

    A layer's largest score becomes 1, so that no layer vanishes before all are down to their last weight.
    """
    order = np.argsort(scores, kind="stable")
    left = np.cumsum(scores[order][::-1])[::-1]
    found = np.empty(len(scores))
    found[order] = scores[order] / np.maximum(left, 1e-300)
    return found


def _by_global_score(
    scores: Mapping[str, Array], sizes: Mapping[str, int], sparsity: float, most: float
) -> dict[str, float]:
    """Drop the least score of all first; units weigh what they hold of their tensor."""
    keys = list(scores)
    ranked = {key: np.sort(scores[key]) for key in keys}
    # The last of a tensor's units may not go.
    for key in keys:
        free = int(np.floor(most * len(ranked[key])))
        ranked[key] = np.where(np.arange(len(ranked[key])) < free, ranked[key], np.inf)
    values = np.concatenate([ranked[key] for key in keys])
    owners = np.concatenate([np.full(len(ranked[key]), place) for place, key in enumerate(keys)])
    weight = np.concatenate([np.full(len(ranked[key]), sizes[key] / len(ranked[key])) for key in keys])
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    within = np.cumsum(weight[order]) <= sparsity * sum(sizes.values()) + 0.5
    dropped = np.bincount(owners[order[within]], minlength=len(keys))
    return {key: float(dropped[place] / len(ranked[key])) for place, key in enumerate(keys)}


def _erdos_renyi(shapes: Mapping[str, tuple[int, ...]], sparsity: float, most: float) -> dict[str, float]:
    """What stays of a tensor is proportional to Σ of its sizes / Π of them: Evci et al., "RigL", 2020, section 3."""
    density = {key: float(sum(shape) / np.prod(shape)) for key, shape in shapes.items()}
    sizes = {key: float(np.prod(shape)) for key, shape in shapes.items()}
    wanted = (1 - sparsity) * sum(sizes.values())
    full: set[str] = set()
    factor = 0.0
    while len(full) < len(shapes):
        rest = wanted - sum(sizes[key] for key in full)
        factor = max(rest, 0.0) / sum(sizes[key] * density[key] for key in shapes if key not in full)
        over = {key for key in shapes if key not in full and factor * density[key] > 1}
        if not over:
            break
        full |= over
    return {key: 0.0 if key in full else min(1 - factor * density[key], most) for key in shapes}
