"""Results that are never there as a whole: a convolution's rows that the only operator behind them takes at once."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.ir.network import Subgraph
from edgecompile.kernels import alias, conv_2d_few_dense_s8
from edgecompile.kernels.routine import Routine, Site


def row_by_row(sites: Sequence[Site], routines: Sequence[Routine]) -> tuple[Routine, ...]:
    """The same routines, but what makes rows and what takes them as one, in place of the latter, where this is so."""
    found = list(routines)
    for index, site in enumerate(sites):
        chain = _chain(site.subgraph, index)
        if len(chain) < 2:
            continue
        *between, last = chain[1:]
        one = conv_2d_few_dense_s8.routine(site, found[index], sites[last], found[last])
        if one is None:
            continue
        for step in (index, *between):
            found[step] = Routine(unstored=sites[step].operator.outputs)
        found[last] = one
    return tuple(found)


def _chain(graph: Subgraph, index: int) -> list[int]:
    """An operator, those that only give its result another shape, and the dense layer behind; empty without one."""
    chain = [index]
    while True:
        outputs = graph.operators[chain[-1]].outputs
        if len(outputs) != 1 or outputs[0] in graph.outputs:  # what assigns a variable has no output
            return []
        users = [step for step, operator in enumerate(graph.operators) if outputs[0] in operator.inputs]
        if len(users) != 1:
            return []
        operator = graph.operators[users[0]]
        if operator.inputs[0] != outputs[0]:
            return []
        chain.append(users[0])
        if operator.name == "FULLY_CONNECTED":
            return chain
        if operator.name not in alias.OPERATORS:
            return []
