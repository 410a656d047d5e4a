"""Which weights become zero: the least important ones, in the forms that kernels execute.

Patterns are those of ``subject.PATTERNS``: anywhere; at least two in every four neighbouring input channels (Zhou et
al., "Learning N:M Fine-grained Structured Sparse Neural Networks", 2021); blocks of two output by two input channels at
one kernel position. Weights with neither two output nor two input channels beside each other (depthwise) know
no pattern but ``unstructured``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecompile.compress.sites import Site

Array = np.ndarray[Any, Any]


def takes(site: Site, shape: tuple[int, ...], pattern: str) -> bool:
    """Whether a site's weights can have the pattern: [o, ..., i] with two or four channels along it."""
    if pattern == "unstructured":
        return True
    channels = shape[-1]
    if site.axis != 0 or site.operator not in ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        return False
    return channels >= 4 if pattern == "2:4" else channels >= 2 and shape[0] >= 2


def units(scores: Array, pattern: str) -> Array:
    """The score of each thing that is kept or dropped as one: [units] for weights [o, ..., i] of scores.

    Unstructured: the weights. block2x2: the means of the blocks; at an odd edge a block is the part that is there.
    """
    return block_sums(scores) / _sizes(scores) if pattern == "block2x2" else scores.reshape(-1)


def block_sums(scores: Array) -> Array:
    """The sum of scores in each block of two outputs by two inputs, of weights [o, ..., i]."""
    return np.asarray(_blocks(scores).sum(axis=-1))


def lowest(scores: Array, pattern: str, share: float) -> Array:
    """True (bool, shape of ``scores``) for that share of the weights, as near as whole units come to it.

    2:4 knows no share: of every four neighbours the two of least score go; of a shorter rest none. Ties fall by
    position.
    """
    if pattern == "2:4":
        return _two_of_four(scores)
    of_units = units(scores, pattern)
    sizes = _sizes(scores) if pattern == "block2x2" else np.ones(len(of_units))
    order = np.argsort(of_units, kind="stable")
    dropped = np.zeros(len(of_units), bool)
    dropped[order[np.cumsum(sizes[order]) <= share * scores.size + 0.5]] = True
    return dropped.reshape(scores.shape) if pattern == "unstructured" else _from_blocks(dropped, scores.shape)


def holds(zeros: Array, pattern: str) -> bool:
    """Whether a mask is made of the pattern's units (2:4: has at least two in each whole four)."""
    if pattern == "2:4":
        whole = zeros.shape[-1] // 4 * 4
        fours = zeros[..., :whole].reshape(*zeros.shape[:-1], -1, 4)
        return bool((fours.sum(axis=-1) >= 2).all())
    if pattern == "block2x2":
        return bool((_from_blocks(block_sums(zeros.astype(np.float64)) > 0, zeros.shape) == zeros).all())
    return True


def _two_of_four(scores: Array) -> Array:
    whole = scores.shape[-1] // 4 * 4
    fours = scores[..., :whole].reshape(*scores.shape[:-1], -1, 4)
    ranks = np.argsort(np.argsort(fours, axis=-1, kind="stable"), axis=-1, kind="stable")
    found = np.zeros(scores.shape, bool)
    found[..., :whole] = (ranks < 2).reshape(*scores.shape[:-1], whole)
    return found


def _blocks(scores: Array) -> Array:
    """[blocks, 4]: two outputs by two inputs, what is missing at the edge 0."""
    flat = scores.reshape(len(scores), -1, scores.shape[-1])
    flat = np.pad(flat, ((0, len(flat) % 2), (0, 0), (0, flat.shape[2] % 2)))
    halves = flat.reshape(len(flat) // 2, 2, flat.shape[1], flat.shape[2] // 2, 2)
    return halves.transpose(0, 2, 3, 1, 4).reshape(-1, 4)


def _sizes(scores: Array) -> Array:
    """How many weights each block has: 4, fewer at an odd edge."""
    return np.asarray(_blocks(np.ones_like(scores, dtype=np.float64)).sum(axis=-1))


def _from_blocks(chosen: Array, shape: tuple[int, ...]) -> Array:
    outputs, inputs = shape[0], shape[-1]
    halves = chosen.reshape(-(-outputs // 2), -1, -(-inputs // 2))
    spread = halves.repeat(2, axis=0).repeat(2, axis=2)
    return np.ascontiguousarray(spread[:outputs, :, :inputs].reshape(shape))
