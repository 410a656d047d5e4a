"""What the constants of a program take in flash, operator by operator: each array once, as ``MODEL.c`` holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgecompile.kernels.program import Program
from edgecompile.kernels.routine import Array, Routine

# Compilers for Arm put arrays of this size and more at addresses that words are read from.
_ALIGNMENT = 4


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Constants that an operator brings: those that an earlier one holds already are not counted again.

    ``operator`` None: what variables begin with.
    """

    operator: int | None
    label: str
    layer: str
    size_bytes: int


def holders(program: Program) -> tuple[Holder, ...]:
    """One for each operator with constants, in the order of execution, then the values that variables begin with."""
    seen: set[tuple[str, bytes]] = set()
    graph, found = program.subgraph, []
    for index, (operator, routine) in enumerate(zip(graph.operators, program.routines, strict=True)):
        size = sum(_new_bytes(array, seen) for array in _arrays(program, routine))
        outputs = graph.outputs_of(operator)
        layer = outputs[0].name if outputs else ""
        found.append(Holder(operator=index, label=operator.label, layer=layer, size_bytes=size))
    initial = sum(_new_bytes(array, seen) for array in program.initial.values())
    found.append(Holder(operator=None, label="variables", layer="", size_bytes=initial))
    return tuple(holder for holder in found if holder.size_bytes)


def constant_bytes(program: Program) -> int:
    """Of all operators."""
    return sum(holder.size_bytes for holder in holders(program))


def _arrays(program: Program, routine: Routine) -> Iterator[Array]:
    for call in routine.calls:
        yield from call.constants.values()
        tensors = (program.subgraph.tensors[index] for index in call.inputs)
        yield from (tensor.array for tensor in tensors if tensor.array is not None)


def _new_bytes(array: Array, seen: set[tuple[str, bytes]]) -> int:
    array = np.ascontiguousarray(array)
    key = (array.dtype.name, array.tobytes())
    if key in seen:
        return 0
    seen.add(key)
    return -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
