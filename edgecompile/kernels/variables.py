"""Variables of streaming models: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE.

A variable's bytes are where the first handle that names it has its place in the arena; ``init`` of the C library
gives them what the subgraph that is called once assigns, or what stands for zero.
"""

from __future__ import annotations

from edgecompile.ir.network import Network, Operator, Subgraph
from edgecompile.kernels.quantities import is_quantized, zero_point_of
from edgecompile.kernels.routine import C_TYPES, Array, Call, Routine, Setting, Site

OPERATORS = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


def refuse(site: Site) -> str | None:
    """Why this kernel does not take the operator; None: it does."""
    if site.operator.name in ("VAR_HANDLE", "CALL_ONCE"):
        return None
    if _handle(site) is None:
        return "a variable that no handle of this subgraph names"
    value = site.output if site.operator.name == "READ_VARIABLE" else site.given(1)
    return None if value.dtype in C_TYPES else f"element type {value.dtype}"


def routine(site: Site) -> Routine:
    """A copy from or to the variable's place; nothing for handles, and for what is called once before the first run."""
    if site.operator.name in ("VAR_HANDLE", "CALL_ONCE"):
        return Routine()
    handle = _handle(site)
    assert handle is not None
    read = site.operator.name == "READ_VARIABLE"
    value = site.operator.outputs[0] if read else site.operator.inputs[1]
    tensor = site.subgraph.tensors[value]
    size = tensor.size_bytes
    # What the reference fills variables of int8 with; others begin with 0.
    empty = zero_point_of(tensor) if is_quantized(tensor, "int8") else 0
    settings: dict[str, Setting] = {f"size_{axis}": 1 for axis in range(5)}
    call = Call(
        kernel="copy_nd",
        settings={**settings, "run": size},
        inputs=(handle if read else value,),
        outputs=(value if read else handle,),
    )
    return Routine(calls=(call,), states=((handle, size, empty),))


def initial_values(network: Network) -> dict[int, Array] | str:
    """What variables begin with, by their place's tensor; or why it is not known before the first run."""
    places = {key: tensor for tensor, key in reversed(list(_named(network.main).items()))}
    called = [o.options["init_subgraph_index"] for o in network.main.operators if o.name == "CALL_ONCE"]
    if sorted(called) != list(range(1, len(network.subgraphs))):
        return "more than one subgraph"
    found: dict[int, Array] = {}
    for index in called:
        graph = network.subgraphs[index]
        handles = _named(graph)
        for operator in graph.operators:
            if operator.name == "VAR_HANDLE":
                continue
            values = graph.tensors[operator.inputs[1]].array if operator.name == "ASSIGN_VARIABLE" else None
            if values is None:
                return f"a subgraph called once that does more than assign constants ({operator.label})"
            key = handles.get(operator.inputs[0])
            if key in places:
                found[places[key]] = values
    return found


def _named(graph: Subgraph) -> dict[int, tuple[str, str]]:
    """The name of the variable of each handle, in the order of the handles."""
    return {o.outputs[0]: _name(o) for o in graph.operators if o.name == "VAR_HANDLE"}


def _name(operator: Operator) -> tuple[str, str]:
    return str(operator.options.get("container", "")), str(operator.options.get("shared_name", ""))


def _handle(site: Site) -> int | None:
    """The first handle of the variable that the operator reads or writes."""
    named = _named(site.subgraph)
    own = named.get(site.operator.inputs[0])
    return None if own is None else next(tensor for tensor, name in named.items() if name == own)
