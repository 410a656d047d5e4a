"""Whether operators compute with the same constants: a digest of their values."""

from __future__ import annotations

import hashlib

from edgecompile.ir.network import Operator, Subgraph


def digest_of(subgraph: Subgraph, operator: Operator) -> str | None:
    """The first 12 digits of SHA-256 over types, shapes and bytes of what the operator reads; None: no constants."""
    constants = [t for t in subgraph.inputs_of(operator) if t is not None and t.is_constant]
    if not constants:
        return None
    found = hashlib.sha256()
    for tensor in constants:
        found.update(f"{tensor.dtype}{tensor.shape}".encode())
        found.update(tensor.buffer.data)
    return found.hexdigest()[:12]
