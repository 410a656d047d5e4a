"""A plan in which tensors share bytes: renamed shapes, results in place of inputs, results behind what is read.

What may share is data (``Sharing``), told by the kernels; this module decides where it is sound and where it pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgecompile.ir.network import Network
from edgecompile.memory.arena import Allocation, MemoryPlan
from edgecompile.memory.lifetimes import Lifetime, timeline_of
from edgecompile.memory.placement import blocks, live_bytes
from edgecompile.memory.search import pack

# Stands for a scratch buffer where an allocation names its tensor.
SCRATCH = -1


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """In a step, ``over`` may begin ``distance`` or more bytes below the beginning of ``under`` (negative: above).

    One of them is there before the step and not after it, the other after it and not before.
    """

    step: int
    over: int
    under: int
    distance: int


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What a program allows of its tensors, by index in the main subgraph, and needs beside them.

    ``aliases``: (output, input) with the same bytes. ``in_place``: (step, output, input) of equal size that may be at
    one place. ``scratch_bytes`` by step. ``states``: bytes kept from run to run, by the tensor that names them.
    """

    aliases: tuple[tuple[int, int], ...] = ()
    in_place: tuple[tuple[int, int, int], ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    scratch_bytes: Mapping[int, int] = field(default_factory=dict)
    states: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SharedPlan:
    """``offsets`` of every runtime tensor of the main subgraph, ``scratch`` offsets by step, and the plan to draw."""

    plan: MemoryPlan
    offsets: Mapping[int, int]
    scratch: Mapping[int, int]


def plan_shared(network: Network, sharing: Sharing, alignment: int = 4) -> SharedPlan:
    """A plan for a network of one subgraph; never higher than one in which nothing overlaps would need to be.

    An output takes the place of an input only where nobody needs the input later; tensors that become one live from
    the first birth to the last use. ``alignment`` in bytes holds for all offsets.
    """
    timeline = timeline_of(network)
    known = {life.tensor: life for life in timeline.lifetimes if life.subgraph == 0}
    known |= {tensor: _state(network, tensor, size, len(timeline.steps)) for tensor, size in sharing.states.items()}
    merged = _Merged(known)
    for output, source in sharing.aliases:
        merged.join(output, source)
    for step, output, source in sharing.in_place:
        merged.join_in_place(step, output, source)
    lives = merged.lives()
    scratch = [_scratch(step, size, timeline.steps[step].label) for step, size in sorted(sharing.scratch_bytes.items())]
    everything = [*lives, *(life for life in scratch if life.size_bytes)]
    position = {life.tensor: index for index, life in enumerate(lives)}
    below = _allowed(sharing, merged, position, everything, alignment)
    found = blocks(
        [_aligned(life.size_bytes, alignment) for life in everything],
        [(life.first, life.last) for life in everything],
        below,
    )
    count = max((len(timeline.steps), *(life.last + 1 for life in everything)), default=0)
    bound = _lower_bound(found.sizes, found.spans, below, count)
    packing = pack(found, bound)
    offsets = {tensor: packing.offsets[position[merged.root(tensor)]] for tensor in merged.known}
    rows = [
        _row(merged.known[tensor], merged.span(tensor), offset)
        for tensor, offset in sorted(offsets.items())
        if merged.root(tensor) == tensor
    ]
    rows += [
        _row(life, life, packing.offsets[len(lives) + index]) for index, life in enumerate(everything[len(lives) :])
    ]
    alive = live_bytes(found, count)
    return SharedPlan(
        plan=MemoryPlan(
            arena_bytes=packing.height,
            allocations=tuple(rows),
            lower_bound_bytes=bound,
            peak_step=alive.index(max(alive)) if alive else 0,
            method=packing.method,
            steps=timeline.steps,
            alignment=alignment,
        ),
        offsets=offsets,
        scratch={
            life.first: packing.offsets[len(lives) + index] for index, life in enumerate(everything[len(lives) :])
        },
    )


class _Merged:
    """Tensors that share one place, as sets with a root each."""

    def __init__(self, known: dict[int, Lifetime]) -> None:
        self.known = known
        self._above: dict[int, int] = {}
        self._spans = dict(known)

    def root(self, tensor: int) -> int:
        """The tensor that stands for all that are at its place."""
        while tensor in self._above:
            tensor = self._above[tensor]
        return tensor

    def span(self, tensor: int) -> Lifetime:
        """From the first birth to the last use of all that are at the tensor's place."""
        return self._spans[self.root(tensor)]

    def join(self, output: int, source: int) -> None:
        """Put an output where its input is; nothing for tensors without a place."""
        if output not in self.known or source not in self.known or self.root(output) == self.root(source):
            return
        low, high = self.span(source), self.span(output)
        merged = replace(
            low,
            first=min(low.first, high.first),
            last=max(low.last, high.last),
            size_bytes=max(low.size_bytes, high.size_bytes),
        )
        self._above[self.root(output)] = self.root(source)
        self._spans[self.root(source)] = merged

    def join_in_place(self, step: int, output: int, source: int) -> None:
        """The same where the input is not needed after this step and the output is not there before it."""
        if self.may_overlap(step, output, source) and self.span(output).size_bytes <= self.span(source).size_bytes:
            self.join(output, source)

    def may_overlap(self, step: int, output: int, source: int) -> bool:
        """Whether this step is the input's last and the output's first."""
        if output not in self.known or source not in self.known or self.root(output) == self.root(source):
            return False
        return self.span(source).last == step == self.span(output).first

    def lives(self) -> list[Lifetime]:
        """One lifetime for each place."""
        return [self._spans[tensor] for tensor in sorted(self.known) if tensor not in self._above]


def _allowed(
    sharing: Sharing, merged: _Merged, position: Mapping[int, int], lives: list[Lifetime], alignment: int
) -> dict[tuple[int, int], int]:
    """Pairs of places that may overlap, with the distance rounded up to the alignment."""
    found = {}
    for overlap in sharing.overlaps:
        ends = (overlap.over, overlap.under)
        if not any(merged.may_overlap(overlap.step, *pair) for pair in (ends, ends[::-1])):
            continue
        over, under = position[merged.root(overlap.over)], position[merged.root(overlap.under)]
        distance = max(_aligned(overlap.distance, alignment), -_aligned(lives[under].size_bytes, alignment))
        found[over, under] = distance
    return found


def _lower_bound(
    sizes: tuple[int, ...],
    spans: tuple[tuple[int, int], ...],
    below: Mapping[tuple[int, int], int],
    steps: int,
) -> int:
    """The largest sum of sizes alive at once, less what may overlap then, but no less than the largest block."""
    alive = live_bytes(blocks(sizes, spans), steps)
    for (over, under), distance in below.items():
        step = max(spans[over][0], spans[under][0])
        alive[step] -= max(min(sizes[over] - distance, sizes[over], sizes[under]), 0)
    return max((*alive, *sizes), default=0)


def _state(network: Network, tensor: int, size_bytes: int, steps: int) -> Lifetime:
    name = network.main.tensors[tensor].name
    return Lifetime(tensor=tensor, name=name, size_bytes=size_bytes, first=0, last=max(steps - 1, 0))


def _scratch(step: int, size_bytes: int, label: str) -> Lifetime:
    return Lifetime(tensor=SCRATCH, name=f"scratch of {label}", size_bytes=size_bytes, first=step, last=step)


def _row(life: Lifetime, span: Lifetime, offset: int) -> Allocation:
    return Allocation(
        tensor=life.tensor,
        name=life.name,
        offset=offset,
        size_bytes=span.size_bytes,
        first=span.first,
        last=span.last,
    )


def _aligned(size_bytes: int, alignment: int) -> int:
    return -(-size_bytes // alignment) * alignment
