"""Who dominates whom: fronts, ranks and crowding of points, smaller figures being better in every objective."""

from __future__ import annotations

from collections.abc import Sequence

Point = Sequence[float]


def dominates(a: Point, b: Point) -> bool:
    """No worse in every objective, and better in one."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))


def front(points: Sequence[Point]) -> list[int]:
    """Indices of the points that none dominates; of equal ones the first."""
    return [
        i
        for i, one in enumerate(points)
        if not any(dominates(other, one) or (j < i and tuple(other) == tuple(one)) for j, other in enumerate(points))
    ]


def ranks(points: Sequence[Point]) -> list[int]:
    """0 for the front, 1 for the front of the rest, and so on (Deb et al., NSGA-II, 2002, section III-A)."""
    rank, left, found = 0, list(range(len(points))), [0] * len(points)
    while left:
        best = [left[i] for i in front([points[i] for i in left])]
        for index in best:
            found[index] = rank
        left, rank = [index for index in left if index not in best], rank + 1
    return found


def crowding(points: Sequence[Point]) -> list[float]:
    """How far a point's neighbours are, over all objectives; ends are infinitely far (ibid., section III-B)."""
    found = [0.0] * len(points)
    for axis in range(len(points[0]) if points else 0):
        order = sorted(range(len(points)), key=lambda i, axis=axis: points[i][axis])  # type: ignore[misc]
        span = points[order[-1]][axis] - points[order[0]][axis] or 1.0
        found[order[0]] = found[order[-1]] = float("inf")
        for before, here, behind in zip(order, order[1:], order[2:], strict=False):
            found[here] += (points[behind][axis] - points[before][axis]) / span
    return found
