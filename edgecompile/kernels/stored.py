"""What the weights of a program take in flash, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgecompile.ir.network import Subgraph
from edgecompile.kernels.program import Program
from edgecompile.kernels.routine import Array, Call
from edgecompile.kernels.weight_forms import DENSE, stored_bytes
from edgecompile.kernels.weight_packing import NUMBERS

# Constants of a call that hold weights; biases and scales are not counted.
_WEIGHTS = ("weights", "map", "values")
_FORMS = {number: form for form, number in NUMBERS.items()}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The weights of one operator. ``file_bytes``: in the flatbuffer; ``dense_bytes``: in C, one by one."""

    operator: int
    label: str
    layer: str
    form: str
    stored_bytes: int
    dense_bytes: int
    file_bytes: int
    is_int8: bool = True


def stored_weights(program: Program) -> tuple[Stored, ...]:
    """Of each operator whose kernel has weights, in the order of execution."""
    graph, found = program.subgraph, []
    for index, calls in enumerate(_calls(program)):
        for call in calls:
            if "weights" in call.constants:
                tensors = (graph.tensor(number) for number in graph.operators[index].inputs)
                weights = max((t for t in tensors if t is not None and t.is_constant), key=lambda t: t.size_bytes)
                codes = weights.array
                assert codes is not None
                found.append(_stored(graph, index, call, codes))
    return tuple(found)


def _calls(program: Program) -> list[tuple[Call, ...]]:
    """Of each operator; those that make rows for a later one, which has their constants, as if they had a call."""
    found = [routine.calls for routine in program.routines]
    for index, routine in enumerate(program.routines):
        later = (call for calls in found[index + 1 :] for call in calls if "conv.weights" in call.constants)
        call = next(later, None) if routine.unstored and program.subgraph.operators[index].name != "RESHAPE" else None
        if call is not None:
            found[index] = (replace(call, settings={}, constants={"weights": call.constants["conv.weights"]}),)
    return found


def _stored(graph: Subgraph, index: int, call: Call, codes: Array) -> Stored:
    size = sum(call.constants[name].nbytes for name in _WEIGHTS if name in call.constants)
    form = _FORMS.get(int(call.settings.get("form", 0)), DENSE)
    dense = size if form == DENSE else stored_bytes(codes, DENSE)
    assert dense is not None
    operator = graph.operators[index]
    return Stored(
        operator=index,
        label=operator.label,
        layer=graph.outputs_of(operator)[0].name,
        form=form,
        stored_bytes=size,
        dense_bytes=dense,
        file_bytes=codes.nbytes,
        is_int8=codes.dtype.name == "int8",
    )
