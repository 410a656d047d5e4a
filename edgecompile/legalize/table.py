"""Every operator of a network as a row of the report: where it runs and why, what it holds and computes."""

from __future__ import annotations

from typing import Any

from edgecompile.ir.costs import cost_of
from edgecompile.ir.network import Network, Subgraph
from edgecompile.ir.same_values import digest_of
from edgecompile.ir.spelling import printable
from edgecompile.legalize.check import Placed, Verdict


def table(network: Network, verdict: Verdict) -> list[dict[str, Any]]:
    """Rows in the order of the verdict, plain JSON types.

    ``type`` is the first output's; ``weights_bytes`` are the constants it reads, custom options included; ``reason``
    is None where it runs on the accelerator; ``macs`` None where the file does not tell; ``weights_sha256``
    begins the digest of those constants, None without any.
    """
    return [_row(network.subgraphs[placed.subgraph], placed) for placed in verdict.placements]


def _row(subgraph: Subgraph, placed: Placed) -> dict[str, Any]:
    operator = subgraph.operators[placed.operator]
    cost = cost_of(subgraph, operator)
    outputs = subgraph.outputs_of(operator)
    return {
        "index": placed.operator,
        "subgraph": placed.subgraph,
        "operator": printable(placed.name),
        "layer": printable(placed.layer),
        "where": placed.where,
        "reason": placed.reason,
        "type": f"{outputs[0].dtype}{list(outputs[0].shape)}" if outputs else "",
        "macs": cost.macs,
        "weights_bytes": cost.weights_bytes + cost.options_bytes,
        "weights_sha256": digest_of(subgraph, operator),
        "output_bytes": cost.activation_bytes,
    }
