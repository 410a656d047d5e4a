"""What a network read from a file must hold beyond its indices: sizes, order, and quantization that fit."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.units import counted
from edgecompile.ir.network import BITS, Network, Subgraph, Tensor
from edgecompile.ir.sparse import fault_of
from edgecompile.ir.spelling import printable

_AGAIN = ("the file is damaged or was edited by a faulty tool: export the model again",)


def verify_values(network: Network, name: str) -> None:
    """Raise EC217, EC218, EC219 or EC221 for the first constant, order or quantization that does not fit."""
    for number, subgraph in enumerate(network.subgraphs):
        where = f"subgraph {number}, " if len(network.subgraphs) > 1 else ""
        for index, tensor in enumerate(subgraph.tensors):
            place = Location(file=name, detail=f"{where}tensor {index} `{printable(tensor.name)}`")
            _verify_size(tensor, place)
            _verify_quantization(tensor, place)
        for problem in _order(subgraph, name, where):
            raise problem


def _verify_size(tensor: Tensor, place: Location) -> None:
    if not tensor.is_constant or tensor.dtype not in BITS:
        return
    if min(tensor.shape, default=0) < 0:
        raise bad_input(
            "EC218",
            "a constant's shape cannot be",
            place,
            (f"limit: sizes from 0, for a constant's are known; found: {list(tensor.shape)}",),
            _AGAIN,
        )
    if tensor.is_sparse:
        _verify_sparse(tensor, place)
    elif len(tensor.buffer) != tensor.size_bytes:
        raise bad_input(
            "EC217",
            f"a constant of {counted(len(tensor.buffer), 'byte')} does not fill `{tensor.dtype}{list(tensor.shape)}`",
            place,
            (f"limit: {counted(tensor.size_bytes, 'byte')}; found: {len(tensor.buffer)}",),
            _AGAIN,
        )


def _verify_sparse(tensor: Tensor, place: Location) -> None:
    if fault := fault_of(tensor):
        raise bad_input(
            "EC217",
            f"a constant without its zeros does not unpack to `{tensor.dtype}{list(tensor.shape)}`",
            place,
            (f"limit: a column below {tensor.shape[-1]} for each value, and an end for each row; found: {fault}",),
            _AGAIN,
        )


def _verify_quantization(tensor: Tensor, place: Location) -> None:
    quantization = tensor.quantization
    if quantization is None:
        return
    scales, points, axis = len(quantization.scales), len(quantization.zero_points), quantization.axis
    if scales != points:
        raise _odd(f"{scales} scales and {points} zero points", "as many zero points as scales, or one", place)
    odd = [one for one in quantization.scales if not (isfinite(one) and one >= 0)]
    if odd:
        raise _odd(f"{odd[0]}", "scales that are positive numbers", place)
    if scales == 1 or tensor.is_dynamic:
        return
    if not 0 <= axis < len(tensor.shape) or tensor.shape[axis] != scales:
        limit = f"one scale for each of the slices of axis {axis} of {list(tensor.shape)}"
        raise _odd(f"{scales} scales", limit, place)


def _odd(found: str, limit: str, place: Location) -> EdgecompileError:
    return bad_input(
        "EC221", "quantization does not fit its tensor", place, (f"limit: {limit}; found: {found}",), _AGAIN
    )


def _order(subgraph: Subgraph, name: str, where: str) -> Iterator[EdgecompileError]:
    """A value read before the operator that makes it, made twice, or made although it is a constant."""
    makers = {tensor: i for i, operator in reversed([*enumerate(subgraph.operators)]) for tensor in operator.outputs}
    makers = {tensor: maker for tensor, maker in makers.items() if not subgraph.tensors[tensor].is_constant}
    for index, operator in enumerate(subgraph.operators):
        place = Location(file=name, operator=index, detail=where.rstrip(", ") or None)
        for tensor in operator.outputs:
            if tensor not in makers:
                yield _disorder(subgraph, tensor, "it is a constant of the file", place)
            elif makers[tensor] != index:
                yield _disorder(subgraph, tensor, f"operator {makers[tensor]} makes it too", place)
        for tensor in operator.inputs:
            if tensor in makers and makers[tensor] >= index and not subgraph.tensors[tensor].is_variable:
                yield _disorder(subgraph, tensor, f"operator {makers[tensor]} makes it, later", place)


def _disorder(subgraph: Subgraph, tensor: int, why: str, place: Location) -> EdgecompileError:
    name = printable(subgraph.tensors[tensor].name)
    return bad_input(
        "EC219",
        f"the operators are not in an order in which tensor {tensor} `{name}` can be computed",
        place,
        (f"this operator uses the tensor; {why}",),
        _AGAIN,
    )
