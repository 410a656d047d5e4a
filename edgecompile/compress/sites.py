"""Where a network keeps weights: which tensors compression may change, and how they are laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.ir.network import Buffer, Network, Operator, Subgraph
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]

# Operator -> (input slot of the weights, axis of the output channels or None, slot of the bias or None).
# Layouts (TFLite's schema): CONV_2D and TRANSPOSE_CONV [o, h, w, i], DEPTHWISE_CONV_2D [1, h, w, o],
# FULLY_CONNECTED [o, i], CONV_3D [d, h, w, i, o], GATHER's table [row, i]. The LSTM's are per tensor.
_WEIGHTS: Mapping[str, tuple[tuple[int, int | None, int | None], ...]] = {
    "CONV_2D": ((1, 0, 2),),
    "DEPTHWISE_CONV_2D": ((1, 3, 2),),
    "FULLY_CONNECTED": ((1, 0, 2),),
    "TRANSPOSE_CONV": ((1, 0, 3),),
    "CONV_3D": ((1, 4, 2),),
    "BATCH_MATMUL": ((1, None, None),),
    "GATHER": ((0, None, None),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": tuple((slot, None, None) for slot in range(1, 9)),
    "SVDF": ((1, None, None), (2, None, None)),
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """One weight tensor and the operators that read it (several where a layer is used twice).

    ``names`` are those operators' first output tensors: they outlive quantization, which renames constants.
    ``axis`` is that of the output channels, None where the tensor is one whole for quantization.
    """

    names: tuple[str, ...]
    operators: tuple[int, ...]
    operator: str
    slot: int
    weights: int
    bias: int | None
    axis: int | None

    @property
    def key(self) -> str:
        """A name for the weights that is the same before and after quantization."""
        return self.names[0] if self.operator not in _MANY else f"{self.names[0]}#{self.slot}"


_MANY = frozenset(name for name, slots in _WEIGHTS.items() if len(slots) > 1)


def sites_of(network: Network) -> tuple[Site, ...]:
    """The weight tensors of the main subgraph, in the order in which operators first read them.

    A site is a constant of float32, int8 or int16 of at least two elements in a weights slot; the operators of other
    subgraphs (loops) are not looked at.
    """
    main = network.main
    found: dict[Any, Site] = {}
    for number, operator in enumerate(main.operators):
        for slot, axis, bias in _WEIGHTS.get(operator.name, ()):
            index = operator.inputs[slot] if slot < len(operator.inputs) else -1
            if index < 0 or not _holds_weights(main, index):
                continue
            names = names_of(main, operator)
            # One buffer in two tensors is one layer used twice.
            identity = (id(main.tensors[index].buffer), operator.name, slot)
            if identity in found:
                seen = found[identity]
                found[identity] = replace(seen, names=(*seen.names, *names), operators=(*seen.operators, number))
            else:
                found[identity] = Site(
                    names=names,
                    operators=(number,),
                    operator=operator.name,
                    slot=slot,
                    weights=index,
                    bias=_bias(main, operator, bias),
                    axis=axis,
                )
    return tuple(found.values())


def names_of(main: Subgraph, operator: Operator) -> tuple[str, ...]:
    """Of the result, and of the output that is the same in other numbers: the quantizer gives that the name."""
    result = operator.outputs[0]
    ends = (
        other.outputs[0]
        for other in main.operators
        if other.name in ("QUANTIZE", "DEQUANTIZE") and other.inputs[0] == result and other.outputs[0] in main.outputs
    )
    return tuple(main.tensors[index].name for index in (result, *ends))


def weights_of(network: Network, site: Site) -> Array:
    """The site's weights as stored, read-only."""
    array = network.main.tensors[site.weights].array
    assert array is not None
    return array


def bias_of(network: Network, site: Site) -> Array | None:
    """The site's bias, read-only; None where it has none."""
    return network.main.tensors[site.bias].array if site.bias is not None else None


def with_constants(network: Network, constants: Mapping[int, Array]) -> Network:
    """The network with other values in constants of the main subgraph, by tensor; dtype and shape as they are.

    Tensors that share storage with a changed one change along.
    """
    main = network.main
    fresh: dict[int, Buffer] = {}
    for index, array in constants.items():
        tensor = main.tensors[index]
        assert tuple(array.shape) == tensor.shape, (tensor.name, array.shape, tensor.shape)
        fresh[id(tensor.buffer)] = Buffer(np.ascontiguousarray(array, dtype=np.dtype(tensor.dtype)).tobytes())
    tensors = tuple(
        replace(tensor, buffer=fresh[id(tensor.buffer)]) if id(tensor.buffer) in fresh else tensor
        for tensor in main.tensors
    )
    swapped = replace_subgraph(network, replace(main, tensors=tensors))
    # The file's own list of buffers forgets the old values.
    kept = tuple(fresh.get(id(buffer), buffer) for buffer in network.buffers)
    return replace(swapped, buffers=kept)


def matched(before: Network, after: Network) -> dict[str, Site]:
    """Site keys of ``before`` to the sites of ``after`` that hold the same layer's weights.

    By the operator's kind and the name of its output, which the quantizer keeps. A key is absent where the
    quantizer left no such operator; a weight tensor that was split in two for two uses gives the first.
    """
    places = {(site.operator, site.slot, name): site for site in sites_of(after) for name in site.names}
    found = {}
    for site in sites_of(before):
        hits = [places[place] for name in site.names if (place := (site.operator, site.slot, name)) in places]
        if hits:
            found[site.key] = hits[0]
    return found


def as_rows(array: Array, axis: int | None) -> Array:
    """Weights as a matrix, a row for each output channel and the rest in its order: ``[o, everything else]``.

    ``axis`` None: one row.
    """
    if axis is None:
        return array.reshape(1, -1)
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


def from_rows(rows: Array, shape: tuple[int, ...], axis: int | None) -> Array:
    """The inverse of :func:`as_rows`."""
    if axis is None:
        return rows.reshape(shape)
    moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    return np.moveaxis(rows.reshape(moved), 0, axis)


def spread(scales: Array, shape: tuple[int, ...], axis: int | None) -> Array:
    """Scales, one for each slice of ``axis`` (or a single one), shaped so that they broadcast over weights."""
    if axis is None or len(scales) == 1:
        return scales.reshape((1,) * len(shape))
    return scales.reshape([len(scales) if i == axis else 1 for i in range(len(shape))])


def _holds_weights(main: Subgraph, index: int) -> bool:
    tensor = main.tensors[index]
    return (
        tensor.is_constant
        and not tensor.is_sparse
        and tensor.dtype in ("float32", "int8", "int16")
        and tensor.elements > 1
    )


def _bias(main: Subgraph, operator: Operator, slot: int | None) -> int | None:
    if slot is None or slot >= len(operator.inputs) or operator.inputs[slot] < 0:
        return None
    index = operator.inputs[slot]
    return index if main.tensors[index].is_constant else None
