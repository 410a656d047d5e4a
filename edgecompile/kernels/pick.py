"""Operators that gather, repeat, mirror or deal elements of any type: twin of ``pick.h`` (and of ``fill.h``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from edgecompile.ir.network import BITS
from edgecompile.kernels.copy_nd import strides_of
from edgecompile.kernels.nearest import nearest
from edgecompile.kernels.quantities import zero_point_of
from edgecompile.kernels.routine import C_TYPES, Array, Call, Routine, Setting, Site

AXES = 4
# Offsets in elements, a table for each axis, outermost first.
Tables = Sequence[Array]


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.output.dtype not in C_TYPES or site.given(0).dtype != site.output.dtype:
        return f"element types {site.given(0).dtype} to {site.output.dtype}"
    missing = next((i for i in _CONSTANT[site.operator.name] if _constant(site, i) is None), None)
    if missing is not None:
        return f"an input {missing} that is not constant"
    if site.operator.name in _FOUR_AXES and len(site.given(0).shape) != 4:
        return "another rank than 4"
    if site.operator.name == "GATHER" and site.operator.options.get("batch_dims", 0):
        return "batch dimensions"
    return None if len(_tables(site)) <= AXES else f"more than {AXES} axes"


def routine(site: Site) -> Routine:
    """One call, after one that fills what a scatter does not reach."""
    width = BITS[site.output.dtype] // 8
    tables, run = _merged(_tables(site), width)
    tables = [np.zeros(1, np.int32)] * (AXES - len(tables)) + tables
    scatter = site.operator.name == "SPACE_TO_BATCH_ND"
    settings: dict[str, Setting] = {f"size_{axis}": len(table) for axis, table in enumerate(tables)}
    call = Call(
        kernel="pick",
        settings={**settings, "run": run, "is_scatter": int(scatter)},
        constants={f"offsets_{axis}": table.astype(np.int32) for axis, table in enumerate(tables)},
        inputs=site.operator.inputs[:1],
        outputs=site.operator.outputs,
    )
    return Routine(calls=(_fill(site, width), call) if scatter else (call,))


def _tables(site: Site) -> list[Array]:
    return list(_PLANS[site.operator.name](site))


def _merged(tables: list[Array], width: int) -> tuple[list[Array], int]:
    """Offsets in bytes without inner axes that lie together on both sides, and the bytes that do."""
    run = width
    found = [table * width for table in tables]
    while found and np.array_equal(found[-1], np.arange(len(found[-1])) * run):
        run *= len(found.pop())
    return found, run


def _fill(site: Site, width: int) -> Call:
    output = site.output
    zero = zero_point_of(output) if output.quantization is not None and output.quantization.scales else 0
    value = np.array([zero]).astype(np.dtype(output.dtype).newbyteorder("<"))
    return Call(
        kernel="fill",
        settings={"count": output.elements, "size": width},
        constants={"value": np.frombuffer(value.tobytes(), np.uint8)},
        outputs=site.operator.outputs,
    )


def _constant(site: Site, position: int) -> Array | None:
    tensor = site.input(position)
    return None if tensor is None else tensor.array


def _values(site: Site, position: int) -> Array:
    array = _constant(site, position)
    assert array is not None
    return array.astype(np.int64)


def _plain(shape: Sequence[int]) -> list[Array]:
    return [np.arange(size) * stride for size, stride in zip(shape, strides_of(shape), strict=True)]


def _gather(site: Site) -> Tables:
    """``axis`` counts from the end where it is negative; indices beyond it are the model's own fault and cut."""
    shape = site.given(0).shape
    axis = site.operator.options["axis"] % len(shape)
    outer, inner = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    indices = np.clip(_values(site, 1).reshape(-1), 0, shape[axis] - 1)
    return np.arange(outer) * shape[axis] * inner, indices * inner, np.arange(inner)


def _mirror_pad(site: Site) -> Tables:
    shape, before = site.given(0).shape, _values(site, 1).reshape(-1, 2)[:, 0]
    skip = 1 if site.operator.options["mode"] == "REFLECT" else 0
    tables = []
    for size, after, first, stride in zip(shape, site.output.shape, before, strides_of(shape), strict=True):
        place = np.arange(after) - first
        place = np.where(place < 0, -place - 1 + skip, place)
        place = np.where(place >= size, 2 * size - 1 - skip - place, place)
        tables.append(place * stride)
    return tables


def _broadcast_to(site: Site) -> Tables:
    shape, output = site.given(0).shape, site.output.shape
    shape = (1,) * (len(output) - len(shape)) + shape
    rows = zip(shape, output, strides_of(shape), strict=True)
    return [np.arange(after) * (stride if size == after else 0) for size, after, stride in rows]


def _resize(site: Site) -> Tables:
    """Each output row and column is one of the input: reference/resize_nearest_neighbor.h."""
    shape, output, options = site.given(0).shape, site.output.shape, site.operator.options
    tables = _plain(shape)
    for axis in (1, 2):
        corners, centers = bool(options.get("align_corners")), bool(options.get("half_pixel_centers"))
        tables[axis] = tables[axis][nearest(shape[axis], output[axis], corners, centers)]
    return tables


def _space_to_depth(site: Site) -> Tables:
    shape, block = site.given(0).shape, site.operator.options["block_size"]
    batch, row, column, channel = _plain(shape)
    inner = row[:block, None, None] + column[None, :block, None] + channel[None, None, :]
    return batch, row[::block], column[::block], inner.reshape(-1)


def _depth_to_space(site: Site) -> Tables:
    shape, block = site.given(0).shape, site.operator.options["block_size"]
    batch, row, column, _ = _plain(shape)
    depth = shape[3] // (block * block)
    y, x = np.arange(site.output.shape[1]), np.arange(site.output.shape[2])
    down = row[y // block] + y % block * block * depth
    right = column[x // block] + x % block * depth
    return batch, down, right, np.arange(depth)


def _space_to_batch(site: Site) -> Tables:
    """Where each input element goes: pixel ``p`` of an axis to ``(p + before) / block`` of part ``% block``."""
    before = _values(site, 2).reshape(-1, 2)[:, 0]
    return _dealt(site, site.given(0).shape, site.output.shape, before)


def _batch_to_space(site: Site) -> Tables:
    """Where each output element comes from: the same, with crops for paddings."""
    before = _values(site, 2).reshape(-1, 2)[:, 0]
    return _dealt(site, site.output.shape, site.given(0).shape, before)


def _dealt(site: Site, whole: Sequence[int], parts: Sequence[int], before: Array) -> Tables:
    block_h, block_w = (int(size) for size in _values(site, 1).reshape(-1))
    image, row, column, _ = strides_of(parts)
    y, x = np.arange(whole[1]) + before[0], np.arange(whole[2]) + before[1]
    part = image * whole[0]
    down = y // block_h * row + y % block_h * block_w * part
    right = x // block_w * column + x % block_w * part
    return np.arange(whole[0]) * image, down, right, np.arange(whole[3])


_PLANS: Mapping[str, Callable[[Site], Tables]] = {
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "BROADCAST_TO": _broadcast_to,
    "DEPTH_TO_SPACE": _depth_to_space,
    "GATHER": _gather,
    "MIRROR_PAD": _mirror_pad,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
}
# Inputs that must be known.
_CONSTANT: Mapping[str, tuple[int, ...]] = {
    "BATCH_TO_SPACE_ND": (1, 2),
    "BROADCAST_TO": (1,),
    "DEPTH_TO_SPACE": (),
    "GATHER": (1,),
    "MIRROR_PAD": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "SPACE_TO_BATCH_ND": (1, 2),
    "SPACE_TO_DEPTH": (),
}
_FOUR_AXES = frozenset(_PLANS) - {"BROADCAST_TO", "GATHER", "MIRROR_PAD"}
OPERATORS = tuple(_PLANS)
