"""Store equal constants once: tensors with equal bytes hold one buffer."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.network import Buffer, Network, Tensor

ORDER = 60
SUMMARY = "constants stored more than once"


def run(network: Network) -> tuple[Network, list[str]]:
    """``bytes(a) = bytes(b)`` for constants ``a``, ``b``: both hold the buffer of the first, the other is dropped.

    Shapes, dtypes and quantization stay with the tensors and may differ. Variables keep buffers of their own.
    """
    first: dict[bytes, Buffer] = {}
    words: list[str] = []
    gone: set[int] = set()

    def shared(tensor: Tensor) -> Tensor:
        if not tensor.is_constant or tensor.is_variable:
            return tensor
        keeper = first.setdefault(bytes(tensor.buffer.data), tensor.buffer)
        if keeper is tensor.buffer:
            return tensor
        if id(tensor.buffer) not in gone:
            gone.add(id(tensor.buffer))
            words.append(f"{tensor.dtype} constant")
        return replace(tensor, buffer=keeper)

    subgraphs = tuple(
        replace(subgraph, tensors=tuple(shared(tensor) for tensor in subgraph.tensors))
        for subgraph in network.subgraphs
    )
    return (replace(network, subgraphs=subgraphs), words) if words else (network, [])
