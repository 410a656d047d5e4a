"""Bring channels beside each other whose weights go together, before blocks of them become zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.oneshot.pairing import paired
from edgecompile.compress.run import outputs
from edgecompile.compress.sites import Site, sites_of
from edgecompile.compress.structure.groups import Grouping, group
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.reorder import moved, moves_of, reordered
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_LOOKED_AT = 8  # samples on which the network must give the same as before
_SAME = 1e-3  # of the largest output: another order of sums in float32


def in_better_order(
    subject: Subject,
    takers: Sequence[Site],
    scores: Mapping[str, Array],
    shares: Mapping[str, float],
    seen: Samples | None,
    told: list[Diagnostic],
) -> tuple[Subject, Mapping[str, Array]]:
    """The subject, computing the same, with channels in the order of ``pairing.paired``; the scores in that order.

    ``scores`` and ``shares`` are by site key, of ``takers``, whose constants are their own. The teacher's channels move
    along where it is the same network with other weights. Channels of weights that hold zeros or codes stay. Adds EC329
    to ``told`` where samples give other outputs so, and all stays.
    """
    network = subject.network
    whole = group(network)
    grouping = _free(subject, whole)
    by_tensor = {site.weights: site.key for site in takers}
    orders = paired(
        grouping,
        {tensor: scores[key] for tensor, key in by_tensor.items()},
        {tensor: shares.get(key, 0.0) for tensor, key in by_tensor.items()},
    )
    moves = moves_of(network, grouping, orders)
    better = replace(subject, network=reordered(network, moves), reordered=bool(moves) or subject.reordered)
    if not moves:
        return subject, scores
    if not _same(subject, better, seen):
        told.append(_other())
        return subject, scores
    if subject.teacher is not None and subject.reordered == subject.teacher_reordered:
        by_group = {id(one): order for one, order in zip(grouping.groups, orders, strict=True)}
        teacher = _along(subject.teacher, network, whole, by_group)
        if teacher is not None:
            better = replace(better, teacher=teacher, teacher_reordered=True)
    return better, {**scores, **{by_tensor[t]: moved(scores[by_tensor[t]], moves[t]) for t in by_tensor if t in moves}}


def _free(subject: Subject, grouping: Grouping) -> Grouping:
    held = {
        site.weights
        for site in sites_of(subject.network)
        if (promise := subject.held.get(site.key)) is not None
        and (promise.zeros is not None or promise.codes is not None)
    }
    groups = tuple(one for one in grouping.groups if not any(tensor in held for tensor, _ in one.axes))
    return replace(grouping, groups=groups)


def _same(before: Subject, after: Subject, seen: Samples | None) -> bool:
    if seen is None:
        return True
    some = seen.take(slice(0, _LOOKED_AT))
    pairs = zip(outputs(before, some), outputs(after, some), strict=True)
    return all(np.abs(one - other).max() <= _SAME * max(float(np.abs(one).max()), 1e-30) for one, other in pairs)


def _other() -> Diagnostic:
    return Diagnostic(
        code="EC329",
        severity=Severity.WARNING,
        message="channels stay in their order: in another one the network gave other outputs",
        location=Location(detail="`prune`, `reorder`"),
        notes=("zeros are where they would be with `reorder = false`; what is built is right",),
        help=("this is a fault of the compiler: please report it with the model's layers",),
    )


def _along(teacher: Network, network: Network, whole: Grouping, orders: Mapping[int, Array]) -> Network | None:
    """The teacher with its channels in the same order (by the id of the network's group); None for another one."""
    own = own_constants(teacher)
    if _shape(own) != _shape(network):
        return None
    theirs = group(own)
    if [(g.makers, len(g.slices)) for g in theirs.groups] != [(g.makers, len(g.slices)) for g in whole.groups]:
        return None
    pairs = [(g, orders[id(ours)]) for g, ours in zip(theirs.groups, whole.groups, strict=True) if id(ours) in orders]
    return reordered(own, moves_of(own, replace(theirs, groups=tuple(g for g, _ in pairs)), [o for _, o in pairs]))


def _shape(network: Network) -> list[Any]:
    main = network.main
    return [(o.name, [(main.tensors[i].name, main.tensors[i].shape) for i in o.outputs]) for o in main.operators]
