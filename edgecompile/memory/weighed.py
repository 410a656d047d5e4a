"""A program whose short forms of weights are weighed against the RAM that unpacking them takes.

Unpacked rows and the inputs that wait for them lie in scratch memory. At the peak of the arena that scratch costs RAM;
elsewhere it lies in bytes that are free at that time. So layers away from the peak get all the scratch that is of use,
and at the peak the goal decides:

``size``      a layer keeps its form only where it saves more flash than it costs RAM; no scratch is added for speed.
``balanced``  the scratch is that with the least product of instructions and bytes, flash and RAM added up.
``speed``     all scratch that saves instructions.

What is more than the RAM there is counts for none of them: then it is as little scratch as can be.

Short forms bring code along, which a small model may not earn back. Where they take no less flash than dense weights,
code included, forms without lists of blocks and dense weights are weighed against them by the same measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgecompile.ir.costs import macs
from edgecompile.ir.network import Network
from edgecompile.kernels import weight_choice
from edgecompile.kernels.constants import constant_bytes
from edgecompile.kernels.program import Program, compile_network
from edgecompile.kernels.weight_choice import BALANCED, SIZE, SPEED
from edgecompile.kernels.weight_forms import DENSE, LISTED
from edgecompile.kernels.weight_packing import NUMBERS
from edgecompile.memory.program_plan import plan_program
from edgecompile.memory.shared import SharedPlan

# Blocks of inputs that wait at the peak, as the balanced goal tries them.
_TRIED = (1, 2, 3, 4)
_WIDENED = 3
_STEP_BYTES = 16  # of one pair of inputs, for a block of four pixels
# Instructions for a product in a kernel that has no model of its own here: only sums that are compared use it.
_MAC = 1.5
_FORMS = {number: form for form, number in NUMBERS.items()}
_KERNEL = "conv_2d_forms_s8"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A program with its plan; ``rooms`` and ``plain`` are what it was compiled with."""

    program: Program
    plan: SharedPlan
    rooms: Mapping[int, int] = field(default_factory=dict)
    plain: frozenset[int] = frozenset()

    @property
    def arena_bytes(self) -> int:
        """RAM that the program computes in."""
        return self.plan.plan.arena_bytes

    @property
    def bytes(self) -> int:
        """Flash and RAM."""
        return self.flash_bytes + self.arena_bytes

    @property
    def flash_bytes(self) -> int:
        """Constants, and the code that short forms take more; other code is the same, about, whatever the scratch."""
        return constant_bytes(self.program) + (weight_choice.CODE_BYTES if _formed(self.program) else 0)


def compile_weighed(
    network: Network,
    *,
    forms: Sequence[str],
    goal: str,
    kernels: str,
    ram_bytes: int | None = None,
    code_bytes: Callable[[Program], int] | None = None,
) -> Program:
    """The network in C for a goal; ``ram_bytes``: what the arena may take, None: not known.

    ``code_bytes`` tells what a program's code takes; None: short forms take ``weight_choice.CODE_BYTES`` more.
    A program with refusals, or whose weights are all dense, is given as it is.
    """
    best = _weighed(network, forms, goal, kernels, ram_bytes)
    if code_bytes is None or goal == SPEED or best.refusals or not _formed(best):
        return best
    dense = compile_network(network, forms=(DENSE,), goal=goal, kernels=kernels)
    if _flash_bytes(best, code_bytes) < _flash_bytes(dense, code_bytes):
        return best
    whole = tuple(form for form in forms if form not in LISTED)
    programs = (best, _weighed(network, whole, goal, kernels, ram_bytes), dense)
    costs = [_cost(network, one, _flash_bytes(one, code_bytes), goal) for one in programs]
    return programs[costs.index(min(costs))]


def _flash_bytes(program: Program, code_bytes: Callable[[Program], int]) -> int:
    return constant_bytes(program) + code_bytes(program)


def _cost(network: Network, program: Program, flash_bytes: int, goal: str) -> float:
    size = flash_bytes + plan_program(network, program).plan.arena_bytes
    return size if goal == SIZE else size * _instructions(network, program)


def _weighed(network: Network, forms: Sequence[str], goal: str, kernels: str, ram_bytes: int | None) -> Program:
    def make(rooms: Mapping[int, int] | None = None, plain: frozenset[int] = frozenset()) -> Candidate:
        program = compile_network(network, forms=forms, goal=goal, kernels=kernels, plain=plain, rooms=rooms)
        return Candidate(program=program, plan=plan_program(network, program), rooms=rooms or {}, plain=plain)

    whole = compile_network(network, forms=forms, goal=goal, kernels=kernels)
    if whole.refusals or not _formed(whole):
        return whole
    full = Candidate(program=whole, plan=plan_program(network, whole))
    if goal == SPEED and _fits(full, ram_bytes):
        return whole
    lean = make(dict.fromkeys(_blocks(whole), 0))
    if goal == SIZE or not _fits(lean, ram_bytes):
        return _least(lean, make).program
    tried = [full, *(_widened(_limited(whole, most, make), make) for most in _TRIED)]
    fitting = [one for one in tried if _fits(one, ram_bytes)] or [lean]
    if goal == BALANCED:
        return min(
            fitting, key=lambda one: _instructions(network, one.program) * (one.flash_bytes + one.arena_bytes)
        ).program
    return min(fitting, key=lambda one: _instructions(network, one.program)).program


Make = Callable[..., Candidate]


def _fits(candidate: Candidate, ram_bytes: int | None) -> bool:
    return ram_bytes is None or candidate.arena_bytes <= ram_bytes


def _blocks(program: Program) -> dict[int, int]:
    """Bytes of one block of inputs, by operator, of the layers whose rows serve several."""
    return {
        index: int(call.settings["steps"]) * _STEP_BYTES
        for index, routine in enumerate(program.routines)
        for call in routine.calls
        if call.kernel == _KERNEL
    }


def _formed(program: Program) -> set[int]:
    """Operators whose weights are not stored one by one."""
    return {
        index
        for index, routine in enumerate(program.routines)
        if any(call.settings.get("form") in _FORMS for call in routine.calls)
    }


def _limited(program: Program, most: int, make: Make) -> Candidate:
    """So many blocks at once, at most, in every layer."""
    return make({index: most * size for index, size in _blocks(program).items()})


def _widened(candidate: Candidate, make: Make) -> Candidate:
    """The same arena, with all scratch in use that is free while a layer runs."""
    plan, blocks = candidate.plan.plan, _blocks(candidate.program)
    spare = {index: max(plan.arena_bytes - plan.live_bytes(index), 0) for index in blocks}
    for turn in range(_WIDENED):
        rooms = {index: candidate.rooms.get(index, 0) + (spare[index] >> turn) for index in blocks}
        found: Candidate = make(rooms, candidate.plain)
        if found.arena_bytes <= candidate.arena_bytes:
            return found
    return candidate


def _least(lean: Candidate, make: Make) -> Candidate:
    """Layers at the peak whose form costs more RAM than it saves flash are stored one by one."""
    best = lean
    while True:
        step = best.plan.plan.peak_step
        if step not in _formed(best.program):
            return _widened(best, make)
        found: Candidate = make(dict(best.rooms), best.plain | {step})
        if found.flash_bytes + found.arena_bytes >= best.flash_bytes + best.arena_bytes:
            return _widened(best, make)
        best = found


def _instructions(network: Network, program: Program) -> float:
    """By the model of ``weight_choice`` for convolutions, by products for the others."""
    total, main = 0.0, network.main
    for operator, routine in zip(main.operators, program.routines, strict=True):
        codes = main.tensors[operator.inputs[1]].array if operator.name == "CONV_2D" else None
        if codes is None or codes.dtype != np.int8:
            total += _MAC * (macs(main, operator) or 0)
            continue
        call = next((call for call in routine.calls if call.kernel == _KERNEL), None)
        form = DENSE if call is None else _FORMS[int(call.settings["form"])]
        blocks = 1 if call is None else int(call.settings["at_once"])
        pixels = main.tensors[operator.outputs[0]].elements // len(codes)
        total += weight_choice.instructions(codes, pixels, form, blocks)
    return total
