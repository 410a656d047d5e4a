"""Flash and RAM of a network on a target, held against what the device has and what the user grants."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.project import Budget
from edgecompile.core.report import Measure
from edgecompile.core.target import Target
from edgecompile.core.units import format_size, group
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network
from edgecompile.memory.advice import ram_facts, ram_help
from edgecompile.memory.arena import MemoryPlan
from edgecompile.memory.demand import Demand, Parts, by_runtime, exact, flash_remedies


@dataclass(frozen=True, kw_only=True)
class Budgeted:
    """``arena_bytes``, ``flash_bytes`` and ``ram_bytes`` as measures, and an error for each limit that is passed."""

    measures: tuple[Measure, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def fits(self) -> bool:
        """Nothing is over a limit."""
        return not self.diagnostics


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The smallest of the limits that hold, in bytes, every limit in words, smallest first, and the budget's part.

    ``raise_budget``: the device has more than the budget grants, or its size is not known.
    """

    size_bytes: int
    sources: tuple[str, ...]
    raise_budget: bool


def budgets(
    network: Network,
    plan: MemoryPlan,
    *,
    model_bytes: int,
    target: Target,
    budget: Budget,
    model_name: str = "model.tflite",
) -> Budgeted:
    """Measures and diagnostics for a network that is emitted as a file of ``model_bytes`` bytes and interpreted.

    EC600: too much RAM; EC601: too much flash; EC602: RAM enough, but not in one piece.
    Flash is the model file and the runtime's code; RAM is the arena and what the runtime keeps
    beside it, both from the profile. Limits are the device's capacity and the user's budget; a device without
    stated memories (``target.regions`` empty) is held against the budget alone.
    """
    demand = by_runtime(network, plan, model_bytes, target)
    held = hold(demand, network, plan, target=target, budget=budget, model_name=model_name)
    arena = Measure(name="arena_bytes", value=plan.arena_bytes, unit="bytes", method=_arena_method(network, plan))
    return Budgeted(measures=(arena, *held.measures), diagnostics=held.diagnostics)


def hold(
    demand: Demand, network: Network, plan: MemoryPlan, *, target: Target, budget: Budget, model_name: str
) -> Budgeted:
    """Flash and RAM as measures with their limits, and EC600 to EC602 for each limit that is passed.

    ``plan`` lays out the arena that the demand counts.
    """
    flash_limit = _limit(target, "flash", budget.flash_bytes)
    ram_limit = _limit(target, "ram", budget.ram_bytes)
    flash, ram = demand.flash_bytes, demand.ram_bytes
    measures = (
        Measure(name="flash_bytes", value=flash, unit="bytes", limit=_size(flash_limit), method=demand.flash_method),
        Measure(name="ram_bytes", value=ram, unit="bytes", limit=_size(ram_limit), method=demand.ram_method),
    )
    found = (
        _over_ram(network, plan, demand, ram_limit, target, model_name),
        _over_region(network, plan, target, model_name),
        _over_flash(network, demand, flash_limit, target, model_name),
    )
    return Budgeted(measures=measures, diagnostics=tuple(d for d in found if d is not None))


def _limit(target: Target, kind: str, budget_bytes: int | None) -> Limit | None:
    limits = []
    capacity = target.capacity_bytes(kind)
    if capacity is not None:
        limits.append((capacity, f"`{target.id}` has {exact(capacity)} in all: {_regions(target, kind)}"))
    if budget_bytes is not None:
        limits.append((budget_bytes, f"the budget grants {exact(budget_bytes)}"))
    limits.sort(key=lambda limit: limit[0])
    if not limits:
        return None
    raise_budget = budget_bytes is not None and (capacity is None or budget_bytes < capacity)
    return Limit(size_bytes=limits[0][0], sources=tuple(text for _, text in limits), raise_budget=raise_budget)


def _regions(target: Target, kind: str) -> str:
    regions = [region for region in target.regions if region.kind == kind]
    return ", ".join(f"`{region.name}` {format_size(region.size_bytes)} ({region.source})" for region in regions)


def _size(limit: Limit | None) -> int | None:
    return limit.size_bytes if limit else None


def _arena_method(network: Network, plan: MemoryPlan) -> str:
    if plan.arena_bytes == plan.lower_bound_bytes:
        bound = "which is the lower bound: as much is alive at once"
    else:
        bound = f"the lower bound is {group(plan.lower_bound_bytes)} B"
    unknown = any(network.subgraphs[a.subgraph].tensors[a.tensor].is_dynamic for a in plan.allocations)
    batch = "; unknown dimensions taken as in the file" if unknown else ""
    return f"planned: {plan.method}, {plan.alignment}-byte aligned, {bound}{batch}"


def _over_ram(
    network: Network, plan: MemoryPlan, demand: Demand, limit: Limit | None, target: Target, model_name: str
) -> Diagnostic | None:
    ram = demand.ram_bytes
    if limit is None or ram <= limit.size_bytes:
        return None
    excess, room = ram - limit.size_bytes, limit.size_bytes - (ram - plan.arena_bytes)
    return Diagnostic(
        code="EC600",
        message=f"the model needs {exact(ram)} of RAM, {exact(excess)} more than `{target.id}` may use",
        location=_peak_place(network, plan, model_name),
        notes=(f"found {exact(ram)}: {_parts(demand.ram)}", *_limit_notes(limit), *ram_facts(network, plan)),
        help=(*ram_help(network, plan, room), _more("RAM", limit)),
    )


def _over_flash(
    network: Network, demand: Demand, limit: Limit | None, target: Target, model_name: str
) -> Diagnostic | None:
    flash = demand.flash_bytes
    if limit is None or flash <= limit.size_bytes:
        return None
    excess, room = flash - limit.size_bytes, limit.size_bytes - demand.fixed_flash_bytes
    return Diagnostic(
        code="EC601",
        message=f"the model needs {exact(flash)} of flash, {exact(excess)} more than `{target.id}` may use",
        location=Location(file=model_name),
        notes=(f"found {exact(flash)}: {_parts(demand.flash)}", *_limit_notes(limit), *demand.facts),
        help=(*flash_remedies(demand, network, excess, room), _more("flash", limit)),
    )


def _parts(parts: Parts) -> str:
    return ", ".join(f"{name} {exact(size)}" for name, size in parts)


def _over_region(network: Network, plan: MemoryPlan, target: Target, model_name: str) -> Diagnostic | None:
    """The arena is one range of addresses: it has to lie in memories that follow on one another."""
    room = _longest_range(target)
    if room is None or plan.arena_bytes <= room or plan.arena_bytes > (target.capacity_bytes("ram") or 0):
        return None
    return Diagnostic(
        code="EC602",
        message=f"no single memory of `{target.id}` holds the arena of {exact(plan.arena_bytes)}",
        location=_peak_place(network, plan, model_name),
        notes=(
            f"found: the arena is {exact(plan.arena_bytes - room)} larger than the longest range of addresses",
            f"limit: the longest range is {exact(room)}; {_regions(target, 'ram')}",
            *ram_facts(network, plan),
        ),
        help=(*ram_help(network, plan, room), "take a device with a larger memory in one piece"),
    )


def _longest_range(target: Target) -> int | None:
    """Bytes of the longest run of RAM whose regions are adjacent; None where an address is not stated."""
    begin = end = longest = 0
    for region in sorted((r for r in target.regions if r.kind == "ram"), key=lambda r: r.start or 0):
        if region.start is None:
            return None
        begin = begin if region.start == end else region.start
        end = region.start + region.size_bytes
        longest = max(longest, end - begin)
    return longest or None


def _more(kind: str, limit: Limit) -> str:
    return f"raise the {kind} budget" if limit.raise_budget else f"take a device with more {kind}"


def _limit_notes(limit: Limit) -> list[str]:
    first, *others = limit.sources
    return [f"limit: {first}", *(f"also, {other}" for other in others)]


def _peak_place(network: Network, plan: MemoryPlan, model_name: str) -> Location:
    if not plan.steps:
        return Location(file=model_name)
    step = plan.steps[plan.peak_step]
    subgraph = network.subgraphs[step.subgraph]
    outputs = subgraph.outputs_of(subgraph.operators[step.operator])
    return Location(
        file=model_name,
        operator=step.operator,
        layer=short_name(outputs[0].name) if outputs else None,
        detail=f"`{step.label}`" if step.subgraph == 0 else f"`{step.label}` of subgraph {step.subgraph}",
    )
