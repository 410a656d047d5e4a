"""Constants stored without their zeros, as TFLite's ``DENSIFY`` reads them: rows along the last axis, compressed.

Source: the schema's ``SparsityParameters`` (TACO's format: Kjolstad, Kamil, Chou, Lugato, Amarasinghe, "The Tensor
Algebra Compiler", 2017), with every axis dense but the last, which is ``SPARSE_CSR``, and no blocks.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.core.units import counted
from edgecompile.ir.network import BITS, Buffer, Network, Subgraph, Tensor
from edgecompile.libs.schema import new

Array = np.ndarray[Any, Any]

_DENSE, _CSR = 0, 1
# Nobody prunes so far; a hostile file could name any shape for a handful of values.
_MOST_ZEROS = 4096
# The smallest type that holds them all, as TFLite's converter chooses; by the number of the union's member.
_VECTORS = (
    (3, "Uint8Vector", np.dtype("<u1")),
    (2, "Uint16Vector", np.dtype("<u2")),
    (1, "Int32Vector", np.dtype("<i4")),
)


def compressed(tensor: Tensor) -> Tensor:
    """The constant ``dtype[..., n]`` without its zeros. Raises ValueError for what is no dense constant with axes.

    A -0.0 comes back as 0.0. float32, float16 and int8 are what ``DENSIFY`` takes. Zeros alone are refused too: a
    constant of no bytes counts as none at all.
    """
    array = tensor.array
    if array is None or array.ndim == 0 or not array.any():
        raise ValueError(f"`{tensor.name}` is no dense constant with axes, or zeros alone")
    rows = np.ascontiguousarray(array).reshape(-1, array.shape[-1])
    kept = rows != 0
    segments = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    raw = new("Tensor")
    raw.hasRank = True
    raw.sparsity = _sparsity(tensor.shape, segments, np.nonzero(kept)[1])
    return replace(tensor, buffer=Buffer(rows[kept].tobytes()), raw=raw)


def sparse_bytes(tensor: Tensor) -> int:
    """Bytes that :func:`compressed` would take, indices included; the tensor's own where it cannot."""
    array = tensor.array
    if array is None or array.ndim == 0 or not array.any():
        return len(tensor.buffer)
    count = int(np.count_nonzero(array))
    rows = int(array.size // max(array.shape[-1], 1))
    index, segment = (_vector_for(most)[2].itemsize for most in (array.shape[-1] - 1, count))
    return count * (array.itemsize + index) + (rows + 1) * segment


def values_of(tensor: Tensor) -> Array | None:
    """A constant's values, sparse or not; None for what is computed, and for sparse layouts other than this one."""
    if not tensor.is_sparse:
        return tensor.array
    stored = _stored(tensor)
    if stored is None or _fault(tensor, *stored):
        return None
    segments, columns, values = stored
    rows = np.zeros((len(segments) - 1, tensor.shape[-1]), values.dtype)
    rows[np.repeat(np.arange(len(segments) - 1), np.diff(segments)), columns] = values
    return rows.reshape(tensor.shape)


def fault_of(tensor: Tensor) -> str | None:
    """What keeps a sparse constant of this layout from being unpacked; None: nothing, or it is of another layout."""
    stored = _stored(tensor)
    return None if stored is None else _fault(tensor, *stored)


def has_sparse(network: Network) -> bool:
    """Some constant of the main subgraph is stored without its zeros."""
    return any(tensor.is_sparse for tensor in network.main.tensors)


def dense_twin(network: Network) -> Network:
    """The same network with the constants that ``DENSIFY`` unpacks stored whole, where :func:`values_of` reads them."""
    return replace(network, subgraphs=tuple(_dense(subgraph) for subgraph in network.subgraphs))


def _stored(tensor: Tensor) -> tuple[Array, Array, Array] | None:
    """Segments, columns and values; None for other layouts, and for types that have no such values."""
    metadata = tensor.raw.sparsity
    axes = list(metadata.dimMetadata or ())
    formats = [axis.format for axis in axes]
    order = [] if metadata.traversalOrder is None else list(metadata.traversalOrder)
    if not order or order != list(range(len(tensor.shape))) or formats != [_DENSE] * (len(order) - 1) + [_CSR]:
        return None
    if BITS.get(tensor.dtype, 0) < 8 or tensor.dtype == "bfloat16" or tensor.dtype.startswith("float8"):
        return None
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    values = np.frombuffer(tensor.buffer.data, dtype, count=len(tensor.buffer) // dtype.itemsize)
    return _numbers(axes[-1].arraySegments), _numbers(axes[-1].arrayIndices), values


def _numbers(vector: Any) -> Array:
    held = getattr(vector, "values", None)
    return np.asarray(() if held is None else held, np.int64)


def _fault(tensor: Tensor, segments: Array, columns: Array, values: Array) -> str | None:
    row_count, width = math.prod(tensor.shape[:-1]), tensor.shape[-1]
    if len(segments) != row_count + 1:
        return f"{counted(len(segments), 'end')} of rows for {counted(row_count, 'row')}"
    if segments[0] != 0 or segments[-1] != len(columns) or np.any(np.diff(segments) < 0):
        return f"ends of rows that do not rise from 0 to {len(columns)}, the number of columns"
    if len(columns) != len(values):
        return f"{counted(len(columns), 'column')} for {counted(len(values), 'value')}"
    if len(columns) and not 0 <= columns.min() <= columns.max() < width:
        return f"columns from {columns.min()} to {columns.max()} in rows of {width}"
    if row_count * width > _MOST_ZEROS * (len(values) + row_count):
        return f"{counted(row_count * width, 'element')} for {counted(len(values), 'value')}"
    return None


def _dense(subgraph: Subgraph) -> Subgraph:
    tensors = list(subgraph.tensors)
    operators = []
    for operator in subgraph.operators:
        values = values_of(tensors[operator.inputs[0]]) if operator.name == "DENSIFY" else None
        if values is None:
            operators.append(operator)
            continue
        result = operator.outputs[0]
        tensors[result] = replace(tensors[result], buffer=Buffer(np.ascontiguousarray(values).tobytes()))
    return replace(subgraph, tensors=tuple(tensors), operators=tuple(operators))


def _sparsity(shape: tuple[int, ...], segments: Array, columns: Array) -> Any:
    made = new("SparsityParameters")
    made.traversalOrder = np.arange(len(shape), dtype=np.int32)
    made.dimMetadata = [_axis(size) for size in shape[:-1]]
    last = new("DimensionMetadata")
    last.format = _CSR
    last.arraySegmentsType, last.arraySegments = _vector(segments)
    last.arrayIndicesType, last.arrayIndices = _vector(columns)
    made.dimMetadata.append(last)
    return made


def _axis(size: int) -> Any:
    made = new("DimensionMetadata")
    made.format, made.denseSize = _DENSE, size
    return made


def _vector(numbers: Array) -> tuple[int, Any]:
    member, table, dtype = _vector_for(int(numbers.max(initial=0)))
    made = new(table)
    made.values = numbers.astype(dtype)
    return member, made


def _vector_for(most: int) -> tuple[int, str, np.dtype[Any]]:
    return next(row for row in _VECTORS if most <= np.iinfo(row[2]).max)
