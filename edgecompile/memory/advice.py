"""What makes a model too large for a device, and what would make it fit: the notes and help of EC600 and EC601."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.core.units import format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network, Tensor
from edgecompile.memory.arena import Allocation, MemoryPlan

_SHOWN = 4
_FLOATS = {"float32": 4, "float16": 2}


def ram_facts(network: Network, plan: MemoryPlan) -> list[str]:
    """The largest tensors alive at the peak, and whether a better placement could help at all."""
    alive = plan.live(plan.peak_step)
    shown = [_told(network, allocation) for allocation in alive[:_SHOWN]]
    more = f" and {len(alive) - _SHOWN} smaller ones" if len(alive) > _SHOWN else ""
    where = f"operator {plan.peak_operator}" if plan.steps else "the start"
    total = format_size(plan.lower_bound_bytes)
    shares = ", of which some overlap" if sum(a.size_bytes for a in alive) > plan.lower_bound_bytes else ""
    facts = [f"the peak is at {where}, where {total} are alive at once: {', '.join(shown)}{more}{shares}"]
    if plan.arena_bytes > plan.lower_bound_bytes:
        facts.append(
            f"the placement found takes {format_size(plan.arena_bytes - plan.lower_bound_bytes)} more than that"
        )
    return facts


def _told(network: Network, allocation: Allocation) -> str:
    """A tensor with its shape and size; scratch memory of a kernel has no tensor."""
    if allocation.tensor < 0:
        return f"{allocation.name} {format_size(allocation.size_bytes)}"
    tensor = network.subgraphs[allocation.subgraph].tensors[allocation.tensor]
    return f"`{short_name(allocation.name)}` {tensor} {format_size(allocation.size_bytes)}"


def ram_help(network: Network, plan: MemoryPlan, room_bytes: int) -> tuple[str, ...]:
    """Remedies for an arena that must fit into ``room_bytes``."""
    if room_bytes <= 0:
        return ("the runtime alone takes all of it: no model fits",)
    factor = plan.arena_bytes / room_bytes
    remedies = []
    alive = [a for a in plan.live(plan.peak_step) if a.tensor >= 0]
    wide = [a for a in alive if network.subgraphs[a.subgraph].tensors[a.tensor].dtype in _FLOATS]
    if wide:
        as_int8 = sum(_int8_bytes(network.subgraphs[a.subgraph].tensors[a.tensor]) for a in wide)
        left = plan.lower_bound_bytes - sum(a.size_bytes for a in wide) + as_int8
        verdict = "which would fit" if left <= room_bytes else "which is still too much"
        remedies.append(
            f"quantize activations to int8 (`--numerics int8`): the peak falls to about {format_size(left)}, {verdict}"
        )
    remedies.append(
        f"make the layers at the peak {factor:.1f} times smaller: a smaller input, an earlier stride, fewer channels"
    )
    return tuple(remedies)


def flash_facts(network: Network) -> list[str]:
    """The operators that hold the most weights; a buffer shared by several is counted with the first."""
    holders = _weights_by_operator(network)
    total = sum(size for size, _ in holders)
    shown = [f"{text} {format_size(size)} ({100 * size / total:.0f} %)" for size, text in holders[:_SHOWN]]
    if not shown:
        return ["no operator holds weights"]
    return [f"weights take {format_size(total)}, most of them in {', '.join(shown)}"]


def flash_help(
    network: Network,
    excess_bytes: int,
    room_bytes: int,
    savings: Sequence[tuple[str, int]] = (),
    constants_bytes: int | None = None,
) -> tuple[str, ...]:
    """Remedies for constants that are ``excess_bytes`` too large for ``room_bytes``.

    ``savings``: other ways with the bytes that each saves. ``constants_bytes``: what is stored, None: as in the file.
    """
    if room_bytes <= 0:
        return (
            "the code of this model alone takes all of it: use fewer kinds of operators, or choose a device with more",
        )
    remedies = []
    saved = _saved_by_int8(network)
    known = (*((("store weights as int8 (`--numerics int8`)", saved),) if saved else ()), *savings)
    for words, less in known:
        verdict = "which would fit" if less >= excess_bytes else "which is not enough alone"
        remedies.append(f"{words}: about {format_size(less)} less, {verdict}")
    total = sum(size for size, _ in _weights_by_operator(network)) if constants_bytes is None else constants_bytes
    if total > excess_bytes:
        share = -(-100 * excess_bytes // total)
        remedies.append(f"remove {share} % of the weights: narrow the layers named above, or factor them")
    return tuple(remedies)


def _weights_by_operator(network: Network) -> list[tuple[int, str]]:
    """Bytes of constants by operator, largest first, each buffer once."""
    seen: set[int] = set()
    holders = []
    for number, subgraph in enumerate(network.subgraphs):
        for index, operator in enumerate(subgraph.operators):
            size = 0
            for tensor in subgraph.inputs_of(operator):
                if tensor is not None and tensor.is_constant and id(tensor.buffer) not in seen:
                    seen.add(id(tensor.buffer))
                    size += len(tensor.buffer)
            place = f"operator {index}" if number == 0 else f"operator {index} of subgraph {number}"
            outputs = subgraph.outputs_of(operator)
            layer = f" (`{short_name(outputs[0].name)}`)" if outputs else ""
            if size:
                holders.append((size, f"{place} {operator.label}{layer}"))
    return sorted(holders, key=lambda holder: -holder[0])


def _saved_by_int8(network: Network) -> int:
    """Bytes that int8 weights would save: three of four of float32, one of two of float16. Vectors stay as they are."""
    buffers = {
        id(tensor.buffer): len(tensor.buffer) * (_FLOATS[tensor.dtype] - 1) // _FLOATS[tensor.dtype]
        for subgraph in network.subgraphs
        for tensor in subgraph.tensors
        if tensor.is_constant and tensor.dtype in _FLOATS and len(tensor.shape) > 1
    }
    return sum(buffers.values())


def _int8_bytes(tensor: Tensor) -> int:
    return tensor.size_bytes // _FLOATS[tensor.dtype]
