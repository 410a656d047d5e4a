"""Take slices out of a network: smaller tensors, and the settings of operators that speak of sizes put right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network, Operator, Subgraph, Tensor
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]
Kept = Mapping[tuple[int, int], Array]  # (tensor, axis) -> bool for each index; absent: all stay


def remove(network: Network, kept: Kept) -> Network:
    """The network without the slices of the main subgraph that ``kept`` leaves out.

    ``kept`` holds whole classes of ``channels.Channels``, over constants of the operators' own. Tensors keep their
    names; what nothing uses any more is dropped.
    """
    main = network.main
    buffers: dict[tuple[Any, ...], Buffer] = {}
    tensors = [_sliced(tensor, index, kept, buffers) for index, tensor in enumerate(main.tensors)]
    operators = list(main.operators)
    for number, operator in enumerate(operators):
        fix = _FIXES.get(operator.name)
        if fix is not None:
            operators[number] = fix(operator, main, tensors, kept)
    smaller = replace(main, tensors=tuple(tensors), operators=tuple(operators))
    return drop_unused(replace_subgraph(network, smaller))


def kept_of(starts: Mapping[tuple[int, int], int], sizes: Mapping[tuple[int, int], int], gone: Array) -> Kept:
    """From a flag for every node to flags for the indices of every axis that loses some."""
    found = {}
    for place, start in starts.items():
        flags = ~gone[start : start + sizes[place]]
        if not flags.all():
            found[place] = flags
    return found


def _sliced(tensor: Tensor, index: int, kept: Kept, buffers: dict[tuple[Any, ...], Buffer]) -> Tensor:
    flags = {axis: kept[index, axis] for axis in range(len(tensor.shape)) if (index, axis) in kept}
    if not flags:
        return tensor
    shape = tuple(int(flags[axis].sum()) if axis in flags else size for axis, size in enumerate(tensor.shape))
    signature = tuple(asked if asked < 0 else size for asked, size in zip(tensor.shape_signature, shape, strict=False))
    buffer = tensor.buffer
    if tensor.is_constant:
        # Tensors that shared storage go on sharing it where they lose the same.
        key = (id(buffer), tensor.shape, *((axis, part.tobytes()) for axis, part in flags.items()))
        if key not in buffers:
            buffers[key] = Buffer(_cut(tensor, flags).tobytes())
        buffer = buffers[key]
    return replace(tensor, shape=shape, shape_signature=signature, buffer=buffer)


def _cut(tensor: Tensor, flags: Mapping[int, Array]) -> Array:
    array = tensor.array
    assert array is not None
    for axis, part in flags.items():
        array = np.compress(part, array, axis=axis)
    return np.ascontiguousarray(array)


def _rewrite(tensors: list[Tensor], index: int, values: Any) -> None:
    """Other numbers in a small integer constant of the operator's own."""
    tensor = tensors[index]
    array = np.asarray(values, dtype=np.dtype(tensor.dtype)).reshape(tensor.shape)
    tensors[index] = replace(tensor, buffer=Buffer(array.tobytes()))


def _reshape(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    y = operator.outputs[0]
    before, after = main.tensors[y].shape, tensors[y].shape
    if before == after:
        return operator
    if len(operator.inputs) > 1:
        asked = main.tensors[operator.inputs[1]].array
        assert asked is not None
        sizes = [size if size < 0 else now for size, now in zip(asked.reshape(-1).tolist(), after, strict=True)]
        _rewrite(tensors, operator.inputs[1], sizes)
    if not operator.options.get("new_shape"):
        return operator
    asked_option = operator.options["new_shape"]
    sizes = [size if size < 0 else now for size, now in zip(list(asked_option), after, strict=True)]
    fresh: Any = np.array(sizes, dtype=asked_option.dtype) if isinstance(asked_option, np.ndarray) else tuple(sizes)
    return replace(operator, options={**operator.options, "new_shape": fresh})


def _slice(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    x, begin, size = operator.inputs[:3]
    starts, sizes = main.tensors[begin].array, main.tensors[size].array
    assert starts is not None and sizes is not None
    new_starts, new_sizes = starts.copy(), sizes.copy()
    for axis, start in enumerate(starts.tolist()):
        if (x, axis) in kept:
            new_starts[axis] = kept[x, axis][:start].sum()
            if sizes[axis] >= 0:
                new_sizes[axis] = tensors[operator.outputs[0]].shape[axis]
    _rewrite(tensors, begin, new_starts)
    _rewrite(tensors, size, new_sizes)
    return operator


def _strided_slice(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    """Axes that lose slices are taken whole."""
    x, end = operator.inputs[0], operator.inputs[2]
    ends = main.tensors[end].array
    assert ends is not None
    fresh = ends.copy()
    for axis in range(len(ends)):
        if (x, axis) in kept and ends[axis] > 0:
            fresh[axis] = tensors[x].shape[axis]
    _rewrite(tensors, end, fresh)
    return operator


def _split_v(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    axis = main.tensors[operator.inputs[2]].array
    assert axis is not None
    along = int(axis.reshape(-1)[0])
    _rewrite(tensors, operator.inputs[1], [tensors[y].shape[along] for y in operator.outputs])
    return operator


def _pad(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    y = operator.outputs[0]
    margins = main.tensors[operator.inputs[1]].array
    assert margins is not None
    fresh = margins.copy()
    for axis, (before, after) in enumerate(margins.tolist()):
        if (y, axis) in kept:
            flags = kept[y, axis]
            fresh[axis] = flags[:before].sum(), flags[len(flags) - after :].sum()
    _rewrite(tensors, operator.inputs[1], fresh)
    return operator


def _transpose_conv(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    _rewrite(tensors, operator.inputs[0], tensors[operator.outputs[0]].shape)
    return operator


def _depthwise(operator: Operator, main: Subgraph, tensors: list[Tensor], kept: Kept) -> Operator:
    """Where one input channel makes all, fewer channels are a smaller multiplier."""
    outputs, inputs = tensors[operator.outputs[0]].shape[3], tensors[operator.inputs[0]].shape[3]
    return replace(operator, options={**operator.options, "depth_multiplier": outputs // inputs})


_FIXES: Mapping[str, Callable[[Operator, Subgraph, list[Tensor], Kept], Operator]] = {
    "DEPTHWISE_CONV_2D": _depthwise,
    "PAD": _pad,
    "PADV2": _pad,
    "RESHAPE": _reshape,
    "SLICE": _slice,
    "SPLIT_V": _split_v,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE_CONV": _transpose_conv,
}
