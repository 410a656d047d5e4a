"""What a model needs of a device's flash and RAM, and of what that is made: what budgets are held against."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.core.target import Target
from edgecompile.core.units import format_size, group
from edgecompile.ir.network import Network
from edgecompile.memory.advice import flash_facts, flash_help
from edgecompile.memory.arena import MemoryPlan
from edgecompile.memory.bookkeeping import bookkeeping_bytes

Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Demand:
    """``flash`` and ``ram`` part by part, with names for people; ``facts``: which layers take most of the flash.

    ``fixed_flash_bytes``, ``fixed_ram_bytes``: what is there whatever the model is. ``savings``: what would make the
    constants smaller, and by how much; ``constants_bytes``: what they take, None: as much as in the model file.
    ``flash_method``, ``ram_method``: how the sums were obtained.
    """

    flash: Parts
    ram: Parts
    fixed_flash_bytes: int
    fixed_ram_bytes: int
    flash_method: str
    ram_method: str
    facts: tuple[str, ...] = ()
    savings: Parts = ()
    constants_bytes: int | None = None

    @property
    def flash_bytes(self) -> int:
        """All parts together."""
        return sum(size for _, size in self.flash)

    @property
    def ram_bytes(self) -> int:
        """All parts together."""
        return sum(size for _, size in self.ram)


def by_runtime(network: Network, plan: MemoryPlan, model_bytes: int, target: Target) -> Demand:
    """Of a model file that the profile's runtime interprets; of the file and the arena where there is none."""
    runtime = target.runtime
    code = runtime.flash_bytes if runtime else 0
    kept = bookkeeping_bytes(network, runtime) if runtime else 0
    name = runtime.name if runtime else ""
    source = f"{name} ({runtime.source})" if runtime else ""
    return Demand(
        flash=(("model file", model_bytes), *(((name, code),) if runtime else ())),
        ram=(("arena", plan.arena_bytes), *(((name, kept),) if runtime else ())),
        fixed_flash_bytes=code,
        fixed_ram_bytes=kept,
        flash_method=f"predicted: the model file, counted, plus {exact(code)} of {source}"
        if code
        else "counted: the model file; no code of a runtime",
        ram_method=f"predicted: the arena, planned, plus {exact(kept)} of {source}"
        if kept
        else "planned: the arena; nothing that a runtime keeps beside it",
        facts=tuple(flash_facts(network)),
    )


def flash_remedies(demand: Demand, network: Network, excess_bytes: int, room_bytes: int) -> tuple[str, ...]:
    """What would make the flash fit."""
    return flash_help(network, excess_bytes, room_bytes, demand.savings, demand.constants_bytes)


def exact(size_bytes: int) -> str:
    """A size for people, with the bytes where rounding hides them."""
    text = format_size(size_bytes)
    return text if text.endswith(" B") else f"{text} ({group(size_bytes)} B)"
