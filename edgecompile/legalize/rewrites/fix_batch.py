"""Fix an open batch at the size that interpreters take anyway: 1."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Tensor

SUMMARY = "an open batch fixed at 1"
KEEPS = "every bit of the outputs, for a batch of 1"


def run(network: Network, target: Target) -> tuple[Network, list[str]]:
    """``[-1, ...]`` becomes ``[1, ...]`` in every tensor where nothing else is open, and the shape says 1.

    With it SHAPE of such a tensor is a constant, and what calculates with it is folded. A caller can no
    longer resize the batch.
    """
    words: list[str] = []
    subgraphs = []
    for subgraph in network.subgraphs:
        tensors = tuple(_fixed(tensor) for tensor in subgraph.tensors)
        words += ["batch" for i in subgraph.inputs if tensors[i] is not subgraph.tensors[i]]
        subgraphs.append(replace(subgraph, tensors=tensors))
    return (replace(network, subgraphs=tuple(subgraphs)), words) if words else (network, [])


def _fixed(tensor: Tensor) -> Tensor:
    signature = tensor.shape_signature
    opened = bool(signature) and signature[0] < 0 and tensor.shape[:1] == (1,)
    if not opened or any(size < 0 for size in (*signature[1:], *tensor.shape)):
        return tensor
    return replace(tensor, shape_signature=())
