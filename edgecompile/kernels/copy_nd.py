"""Operators that only move elements, of any type: twin of ``copy_nd.h`` (and of ``fill.h``, for padding)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from edgecompile.ir.network import BITS, Tensor
from edgecompile.kernels.quantities import zero_point_of
from edgecompile.kernels.routine import C_TYPES, Array, Call, Routine, Setting, Site

AXES = 5


@dataclass(frozen=True, kw_only=True)
class Move:
    """A block of ``sizes``; strides and offsets of input and output in elements."""

    sizes: tuple[int, ...]
    input_strides: tuple[int, ...]
    output_strides: tuple[int, ...]
    input_offset: int = 0
    output_offset: int = 0


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.output.dtype not in C_TYPES:
        return f"element type {site.output.dtype}"
    if site.operator.options.get("fused_activation_function", "NONE") != "NONE":
        return f"fused activation {site.operator.options['fused_activation_function']}"
    try:
        calls = _PLANS[site.operator.name](site)
    except _NotConstant as error:
        return str(error)
    return f"more than {AXES} axes" if any(call is None for call in calls) else None


def routine(site: Site) -> Routine:
    """One call for each input or output that is moved, after one that fills what is padded."""
    return Routine(calls=tuple(call for call in _PLANS[site.operator.name](site) if call is not None))


class _NotConstant(Exception):
    """What no kernel takes, as the refusal's reason."""


def _call(site: Site, source: int, target: int, move: Move) -> Call | None:
    """The call of a move; None where it has more axes than the kernel."""
    width = BITS[site.subgraph.tensors[source].dtype] // 8
    axes, run = _merged(move, width)
    if len(axes) > AXES:
        return None
    axes = [(1, 0, 0)] * (AXES - len(axes)) + axes
    settings: dict[str, Setting] = {}
    for index, (size, of_input, of_output) in enumerate(axes):
        settings |= {f"size_{index}": size, f"input_stride_{index}": of_input, f"output_stride_{index}": of_output}
    settings |= {"input_offset": move.input_offset * width, "output_offset": move.output_offset * width, "run": run}
    return Call(kernel="copy_nd", settings=settings, inputs=(source,), outputs=(target,))


def _merged(move: Move, width: int) -> tuple[list[tuple[int, int, int]], int]:
    """Axes in bytes without those of size 1, neighbours merged that both sides cross alike, and the innermost run."""
    axes: list[tuple[int, int, int]] = []
    for size, of_input, of_output in zip(move.sizes, move.input_strides, move.output_strides, strict=True):
        if size == 1:
            continue
        if axes and axes[-1][1] == of_input * width * size and axes[-1][2] == of_output * width * size:
            axes[-1] = (axes[-1][0] * size, of_input * width, of_output * width)
        else:
            axes.append((size, of_input * width, of_output * width))
    if axes and axes[-1][1] == axes[-1][2] == width:
        return axes[:-1], axes[-1][0] * width
    return axes, width


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Elements from one step of each axis to the next, in a dense tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _constant(site: Site, position: int) -> Array:
    tensor = site.input(position)
    if tensor is None or tensor.array is None:
        raise _NotConstant(f"an input {position} that is not constant")
    return tensor.array.reshape(-1)


def _axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


def _concatenation(site: Site) -> list[Call | None]:
    axis, shape = _axis(site.operator.options["axis"], len(site.output.shape)), site.output.shape
    into, offset, calls = strides_of(shape), 0, []
    for index in site.operator.inputs:
        sizes = site.subgraph.tensors[index].shape
        move = Move(sizes=sizes, input_strides=strides_of(sizes), output_strides=into, output_offset=offset)
        calls.append(_call(site, index, site.operator.outputs[0], move))
        offset += sizes[axis] * into[axis]
    return calls


def _pack(site: Site) -> list[Call | None]:
    axis = _axis(site.operator.options["axis"], len(site.output.shape))
    into = strides_of(site.output.shape)
    rest, calls = into[:axis] + into[axis + 1 :], []
    for place, index in enumerate(site.operator.inputs):
        sizes = site.subgraph.tensors[index].shape
        move = Move(sizes=sizes, input_strides=strides_of(sizes), output_strides=rest, output_offset=place * into[axis])
        calls.append(_call(site, index, site.operator.outputs[0], move))
    return calls


def _unpack(site: Site) -> list[Call | None]:
    source = site.given(0)
    axis, of_input = _axis(site.operator.options["axis"], len(source.shape)), strides_of(source.shape)
    rest, calls = of_input[:axis] + of_input[axis + 1 :], []
    for place, index in enumerate(site.operator.outputs):
        sizes = site.subgraph.tensors[index].shape
        move = Move(
            sizes=sizes, input_strides=rest, output_strides=strides_of(sizes), input_offset=place * of_input[axis]
        )
        calls.append(_call(site, site.operator.inputs[0], index, move))
    return calls


def _split(site: Site) -> list[Call | None]:
    """SPLIT has its axis as input 0 and the values as input 1; SPLIT_V the values as 0 and its axis as 2."""
    values, where = (1, 0) if site.operator.name == "SPLIT" else (0, 2)
    source = site.given(values)
    axis, of_input = _axis(int(_constant(site, where)[0]), len(source.shape)), strides_of(source.shape)
    offset, calls = 0, []
    for index in site.operator.outputs:
        sizes = site.subgraph.tensors[index].shape
        move = Move(sizes=sizes, input_strides=of_input, output_strides=strides_of(sizes), input_offset=offset)
        calls.append(_call(site, site.operator.inputs[values], index, move))
        offset += sizes[axis] * of_input[axis]
    return calls


def _one(site: Site, move: Move) -> list[Call | None]:
    return [_call(site, site.operator.inputs[0], site.operator.outputs[0], move)]


def _transpose(site: Site) -> list[Call | None]:
    order, of_input = _constant(site, 1).tolist(), strides_of(site.given(0).shape)
    shape = site.output.shape
    return _one(
        site, Move(sizes=shape, input_strides=tuple(of_input[i] for i in order), output_strides=strides_of(shape))
    )


def _slice(site: Site) -> list[Call | None]:
    of_input, shape = strides_of(site.given(0).shape), site.output.shape
    offset = sum(int(begin) * stride for begin, stride in zip(_constant(site, 1), of_input, strict=True))
    return _one(site, Move(sizes=shape, input_strides=of_input, output_strides=strides_of(shape), input_offset=offset))


def _strided_slice(site: Site) -> list[Call | None]:
    """StridedSliceParams: begin and end are clipped, masks open them; shrunk axes take one element."""
    options, source = site.operator.options, site.given(0).shape
    if options.get("ellipsis_mask") or options.get("new_axis_mask") or options.get("offset"):
        raise _NotConstant("an ellipsis, a new axis or an offset")
    begins, ends, steps = (_constant(site, position).tolist() for position in (1, 2, 3))
    of_input, offset, sizes, strides = strides_of(source), 0, [], []
    for axis, size in enumerate(source):
        begin, end, step = (begins[axis], ends[axis], steps[axis]) if axis < len(begins) else (0, size, 1)
        opened = [part for part, mask in ((0, "begin_mask"), (1, "end_mask")) if options.get(mask, 0) >> axis & 1]
        shrunk = bool(options.get("shrink_axis_mask", 0) >> axis & 1) and axis < len(begins)
        if shrunk:
            first, count = begin + size if begin < 0 else begin, 1
        else:
            found = slice(None if 0 in opened else begin, None if 1 in opened else end, step).indices(size)
            first, count = found[0], len(range(*found))
        offset += first * of_input[axis]
        sizes.append(count)
        strides.append(step * of_input[axis])
    if prod(sizes) != site.output.elements:
        raise _NotConstant("a slice of another size than the output")
    move = Move(sizes=tuple(sizes), input_strides=tuple(strides), output_strides=strides_of(sizes), input_offset=offset)
    return _one(site, move)


def _pad(site: Site) -> list[Call | None]:
    before = _constant(site, 1).reshape(-1, 2)[:, 0]
    source, output = site.given(0), site.output
    into = strides_of(output.shape)
    offset = sum(int(count) * stride for count, stride in zip(before, into, strict=True))
    move = Move(sizes=source.shape, input_strides=strides_of(source.shape), output_strides=into, output_offset=offset)
    fill = Call(
        kernel="fill",
        settings={"count": output.elements, "size": BITS[output.dtype] // 8},
        constants={"value": _padding(site, output)},
        outputs=site.operator.outputs,
    )
    return [fill, *_one(site, move)]


def _padding(site: Site, output: Tensor) -> Array:
    """The bytes of one element: PADV2's value, else what stands for 0."""
    if site.operator.name == "PADV2":
        value = _constant(site, 2)[:1]
    else:
        zero = zero_point_of(output) if output.quantization is not None and output.quantization.scales else 0
        value = np.array([zero], np.dtype(output.dtype))
    return np.frombuffer(value.astype(np.dtype(output.dtype).newbyteorder("<")).tobytes(), np.uint8)


_PLANS: Mapping[str, Callable[[Site], list[Call | None]]] = {
    "CONCATENATION": _concatenation,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
OPERATORS = tuple(_PLANS)
