"""Whether what earlier passes made of the weights is still there: zeros, shared values, few bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgecompile.compress.sites import matched, sites_of, spread, weights_of
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.units import counted
from edgecompile.ir.layer_names import short_name


def broken_promises(before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
    """EC307 for each weight tensor of ``after`` that no longer holds what is held of it, or of ``before``.

    Tensors that are in only one of the two networks are left to the pass that made or removed them.
    """
    places = matched(before.network, after.network)
    sites = {site.key: site for site in sites_of(after.network)}
    lost = [key for key in before.held if key in places and places[key].key not in after.held]
    found = [_diagnostic(key, "its promise was dropped") for key in lost]
    for key, held in after.held.items():
        if key in sites:
            weights, axis = weights_of(after.network, sites[key]), sites[key].axis
            found += [_diagnostic(key, problem) for problem in _problems(held, weights, axis)]
    return tuple(found)


def _problems(
    held: Held, weights: np.ndarray[tuple[int, ...], np.dtype[np.generic]], axis: int | None
) -> Iterator[str]:
    if held.zeros is not None and np.any(weights[held.zeros] != 0):
        yield f"{np.count_nonzero(weights[held.zeros])} weights that are held at zero are not zero"
    if held.codes is None:
        return
    if weights.dtype == np.float32:
        assert held.scales is not None
        same = np.array_equal(spread(held.scales, weights.shape, axis) * held.codes, weights)
    else:
        same = np.array_equal(held.codes, weights)
    if not same:
        yield "its values are not those of its codes"
    if held.centroids and len(np.unique(held.codes)) > held.centroids:
        yield f"it has {counted(len(np.unique(held.codes)), 'value')}, and {held.centroids} were promised"
    if np.abs(held.codes.astype(np.int16)).max(initial=0) > 2 ** (held.bits - 1) - 1:
        yield f"its codes do not fit into {held.bits} bits"


def _diagnostic(key: str, problem: str) -> Diagnostic:
    layer = short_name(key)
    return Diagnostic(code="EC307", message=f"weights of `{layer}`: {problem}", location=Location(layer=layer))
