"""What a C library needs of flash and RAM: constants and arena as they are, code and stack as told."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.core.units import format_size
from edgecompile.ir.layer_names import short_name
from edgecompile.kernels.constants import Holder, holders
from edgecompile.kernels.program import Program
from edgecompile.kernels.stored import stored_weights
from edgecompile.kernels.weight_forms import DENSE
from edgecompile.memory.arena import MemoryPlan
from edgecompile.memory.demand import Demand

_SHOWN = 4


def by_library(
    program: Program,
    plan: MemoryPlan,
    *,
    code_bytes: int,
    data_bytes: int = 0,
    stack_bytes: int,
    flash_method: str,
    ram_method: str,
) -> Demand:
    """Of a program without refusals; ``plan`` is that of its arena.

    ``code_bytes``: all of the flash but constants. ``data_bytes``: of .data and .bss, the arena not counted.
    """
    found = holders(program)
    constants = sum(holder.size_bytes for holder in found)
    return Demand(
        flash=(("constants", constants), ("code", code_bytes)),
        ram=(
            ("arena", plan.arena_bytes),
            ("stack", stack_bytes),
            *((("data of the C library", data_bytes),) if data_bytes else ()),
        ),
        fixed_flash_bytes=code_bytes,
        fixed_ram_bytes=stack_bytes + data_bytes,
        flash_method=flash_method,
        ram_method=ram_method,
        facts=_facts(found),
        savings=_savings(program),
        constants_bytes=constants,
    )


def _facts(found: Sequence[Holder]) -> tuple[str, ...]:
    """The layers whose constants take most, in the form in which they are stored."""
    total = sum(holder.size_bytes for holder in found)
    if not total:
        return ("no operator holds constants",)
    most = sorted((h for h in found if h.operator is not None), key=lambda holder: -holder.size_bytes)
    shown = [
        f"operator {h.operator} {h.label} (`{short_name(h.layer)}`) {format_size(h.size_bytes)}"
        f" ({100 * h.size_bytes / total:.0f} %)"
        for h in most[:_SHOWN]
    ]
    return (f"constants take {format_size(total)}, most of them in {', '.join(shown)}",)


def _savings(program: Program) -> tuple[tuple[str, int], ...]:
    """What stores weights in fewer bytes, and how many fewer."""
    saved = sum(one.stored_bytes // 2 for one in stored_weights(program) if one.form == DENSE and one.is_int8)
    return (("share values of weights (`--recipe shared-weights`)", saved),) if saved else ()
