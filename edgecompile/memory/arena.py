"""A place in one arena for every runtime tensor, such that nothing alive is overwritten."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.ir.network import Network
from edgecompile.memory.lifetimes import Lifetime, Step, Timeline, timeline_of
from edgecompile.memory.placement import Blocks, blocks, live_bytes, orders, place
from edgecompile.memory.search import pack


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Bytes ``offset`` to ``offset + size_bytes`` belong to a tensor in steps ``first`` to ``last``, both included.

    ``size_bytes`` is the tensor's own size; the plan keeps it rounded up to the alignment free.
    """

    tensor: int
    name: str
    offset: int
    size_bytes: int
    first: int
    last: int
    subgraph: int = 0


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """Allocations in order of subgraph and tensor, and what the arena costs.

    ``lower_bound_bytes`` is the largest sum of aligned sizes alive in one step, which is step
    ``peak_step``: no placement can be smaller. ``steps`` names the operators in time;
    ``peak_operator`` is the index of the peak's operator in its subgraph (None: no operators).
    """

    arena_bytes: int
    allocations: tuple[Allocation, ...]
    lower_bound_bytes: int
    peak_step: int
    method: str
    steps: tuple[Step, ...]
    alignment: int = 16

    @property
    def peak_operator(self) -> int | None:
        """Index, in its subgraph, of the operator during which most bytes are alive."""
        return self.steps[self.peak_step].operator if self.steps else None

    def live(self, step: int) -> tuple[Allocation, ...]:
        """What is alive in a step, largest first."""
        alive = [a for a in self.allocations if a.first <= step <= a.last]
        return tuple(sorted(alive, key=lambda a: (-a.size_bytes, a.subgraph, a.tensor)))

    def live_bytes(self, step: int) -> int:
        """Aligned bytes alive in a step."""
        return sum(_aligned(a.size_bytes, self.alignment) for a in self.live(step))


def plan(network: Network, alignment: int = 16) -> MemoryPlan:
    """A plan for the main subgraph and all that it calls (see ``lifetimes``).

    ``alignment`` in bytes holds for offsets and sizes; TensorFlow Lite Micro's arena uses 16.
    """
    return arrange(timeline_of(network), alignment)


def arrange(timeline: Timeline, alignment: int = 16) -> MemoryPlan:
    """A plan for given lifetimes."""
    lives = timeline.lifetimes
    count = max((len(timeline.steps), *(life.last + 1 for life in lives)), default=0)
    found = blocks(
        [_aligned(life.size_bytes, alignment) for life in lives], [(life.first, life.last) for life in lives]
    )
    live = live_bytes(found, count)
    bound = max(live, default=0)
    packing = pack(found, bound)
    return MemoryPlan(
        arena_bytes=packing.height,
        allocations=tuple(_allocation(*pair) for pair in zip(lives, packing.offsets, strict=True)),
        lower_bound_bytes=bound,
        peak_step=live.index(bound) if live else 0,
        method=packing.method,
        steps=timeline.steps,
        alignment=alignment,
    )


def greedy_bytes(timeline: Timeline, alignment: int = 16) -> int:
    """The arena that TensorFlow Lite Micro's own planner would take for these lifetimes."""
    found = _blocks(timeline, alignment)
    placed = place(found, orders(found)["greedy by size"])
    return placed[1] if placed is not None else 0


def _blocks(timeline: Timeline, alignment: int) -> Blocks:
    lives = timeline.lifetimes
    return blocks([_aligned(life.size_bytes, alignment) for life in lives], [(life.first, life.last) for life in lives])


def _aligned(size_bytes: int, alignment: int) -> int:
    return -(-size_bytes // alignment) * alignment


def _allocation(life: Lifetime, offset: int) -> Allocation:
    return Allocation(
        tensor=life.tensor,
        name=life.name,
        offset=offset,
        size_bytes=life.size_bytes,
        first=life.first,
        last=life.last,
        subgraph=life.subgraph,
    )
