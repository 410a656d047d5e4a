"""What the accelerator does not run put behind what it does, so that the model can be cut in a body and a tail."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.ir.rewrite import replace_subgraph
from edgecompile.ir.segment import closure, separable
from edgecompile.legalize.check import check

SUMMARY = "what is left to the CPU put behind the accelerator's operators, to be cut off as a file"
KEEPS = "every bit of the outputs"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """Operators of the main subgraph in another order: first the accelerator's and what these wait for.

    Nothing where they stand so already. A network whose operators share variables is left as it is.
    """
    main = network.main
    placements = check(network, target, "").placements
    running = [p.operator for p in placements if p.subgraph == 0 and p.where == target.placement.accelerator]
    body = sorted(closure(main, running))
    if not running or not separable(main) or body == list(range(len(body))):
        return network, []
    tail = [index for index in range(len(main.operators)) if index not in set(body)]
    moved = [index for index in tail if index < body[-1]]
    operators = tuple(main.operators[index] for index in (*body, *tail))
    changed = replace_subgraph(network, replace(main, operators=operators))
    return changed, [main.operators[index].label for index in moved]
