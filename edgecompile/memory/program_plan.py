"""The memory plan of a network in C: what its kernels allow, handed to the planner."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.network import Network, Subgraph
from edgecompile.kernels.program import Program
from edgecompile.memory.shared import Overlap, SharedPlan, Sharing, plan_shared

# Kernels read words of their constants, tensors and scratch.
ALIGNMENT = 4


def plan_program(network: Network, program: Program) -> SharedPlan:
    """A place for every tensor and scratch buffer of a program without refusals."""
    # Subgraphs that are called once are part of what `init` writes, not of the run.
    main = replace(network, subgraphs=(_stored(network.main, program),))
    return plan_shared(main, sharing_of(program), ALIGNMENT)


def _stored(graph: Subgraph, program: Program) -> Subgraph:
    """The subgraph as it is executed: without tensors that are never there as a whole, their sources read later."""
    if not program.unstored:
        return graph
    operators = []
    for operator, routine in zip(graph.operators, program.routines, strict=True):
        read = (index for call in routine.calls for index in call.inputs)
        inputs = () if routine.unstored else (*(i for i in operator.inputs if i not in program.unstored), *read)
        outputs = tuple(index for index in operator.outputs if index not in program.unstored)
        operators.append(replace(operator, inputs=tuple(dict.fromkeys(inputs)), outputs=outputs))
    return replace(graph, operators=tuple(operators))


def sharing_of(program: Program) -> Sharing:
    """What the program's kernels allow, step by step."""
    numbered = list(enumerate(program.routines))
    return Sharing(
        aliases=tuple(pair for _, routine in numbered for pair in routine.aliases),
        in_place=tuple((step, *pair) for step, routine in numbered for pair in routine.in_place),
        overlaps=tuple(
            Overlap(step=step, over=allowed.over, under=allowed.under, distance=allowed.distance)
            for step, routine in numbered
            for allowed in routine.overlaps
        ),
        scratch_bytes={step: routine.scratch_bytes for step, routine in numbered if routine.scratch_bytes},
        states={tensor: size for _, routine in numbered for tensor, size, _ in routine.states},
    )
