"""How two shapes meet, the fewest axes over which both inputs advance by fixed strides: twin of ``broadcast.h``."""

from __future__ import annotations

from edgecompile.kernels.routine import Overlap, Site

AXES = 4
TOO_MANY_AXES = f"more than {AXES} axes that broadcast differently"


def grid(site: Site) -> dict[str, int] | None:
    """Settings ``size_0`` .. ``size_3`` and each input's strides in elements; None when four axes are too few.

    Axes that both inputs cross alike are one; axes of size 1 are none; the last is the innermost.
    """
    shape = site.output.shape
    strides = [_strides(tensor.shape, shape) for tensor in (site.given(0), site.given(1))]
    axes: list[tuple[int, int, int]] = []
    for size, first, second in zip(shape, *strides, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1] == first * size and axes[-1][2] == second * size:
            axes[-1] = (axes[-1][0] * size, first, second)
        else:
            axes.append((size, first, second))
    if len(axes) > AXES:
        return None
    axes = [(1, 0, 0)] * (AXES - len(axes)) + axes
    named: dict[str, int] = {}
    for index, (size, first, second) in enumerate(axes):
        named |= {f"size_{index}": size, f"first_stride_{index}": first, f"second_stride_{index}": second}
    return named


def overlaps(site: Site) -> tuple[Overlap, ...]:
    """The output may begin at or below each input that has its shape: element by element, read before written."""
    over = site.operator.outputs[0]
    same = (index for index in site.operator.inputs[:2] if _may_hold(site, index))
    return tuple(Overlap(over=over, under=index, distance=0) for index in dict.fromkeys(same))


def _may_hold(site: Site, index: int) -> bool:
    """As many elements as the output has, and no narrower ones."""
    tensor = site.subgraph.tensors[index]
    return tensor.elements == site.output.elements and tensor.size_bytes >= site.output.size_bytes


def _strides(shape: tuple[int, ...], target: tuple[int, ...]) -> list[int]:
    """Elements from one step of each target axis to the next, 0 where the shape is broadcast."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step if size != 1 else 0)
        step *= size
    return [0] * (len(target) - len(shape)) + strides[::-1]
