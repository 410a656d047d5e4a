"""Which calls of a program can share one instance of their kernel, made for their settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from edgecompile.ir.network import Subgraph
from edgecompile.kernels.program import Program
from edgecompile.kernels.routine import C_TYPES, Call


def kind_of(graph: Subgraph, call: Call) -> Hashable:
    """What is the same for calls that can share; of its own for those that cannot, which have nothing to specialize."""
    if not call.specialized or not (call.settings or call.constants):
        return id(call)
    constants = tuple((field, values.dtype.name) for field, values in call.constants.items())
    # A handle stands for the bytes of its variable.
    types = tuple(C_TYPES.get(graph.tensors[index].dtype, "uint8_t") for index in (*call.inputs, *call.outputs))
    return call.kernel, tuple(call.settings.items()), constants, types, len(call.inputs), call.scratch


def kinds_of(program: Program) -> Counter[Hashable]:
    """How many calls there are of each kind."""
    calls = (call for routine in program.routines for call in routine.calls)
    return Counter(kind_of(program.subgraph, call) for call in calls)
