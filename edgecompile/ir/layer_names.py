"""The layers behind tensors' names, as people call them.

The converter names a tensor after all operations fused into what makes it, joined with ``;``, each behind its scopes:
``model/relu/Relu;model/norm/FusedBatchNormV3;model/conv/Conv2D``.
"""

from __future__ import annotations

from edgecompile.ir.network import Subgraph

# The converter's names for what has no layer of its own.
NAMELESS = ("tfl.", "arith.", "PartitionedCall", "StatefulPartitionedCall", "serving_default")


def layer_of(tensor_name: str, model_name: str) -> str | None:
    """The Keras layer behind ``model/block/conv/Relu;model/block/conv/Conv2D``: ``block/conv``; None when unknown.

    TensorFlow's scopes have the model's name first and the operation's last.
    """
    for part in tensor_name.split(";"):
        scopes = part.partition("@")[0].split("/")
        if scopes[0] == model_name and len(scopes) > 2:
            return "/".join(scopes[1:-1])
        if scopes[0] != model_name and len(scopes) > 1 and not part.startswith(NAMELESS):
            return "/".join(scopes[:-1])
    return None


def short_name(tensor_name: str) -> str:
    """The last layer of those fused, where the model's name is not known: ``relu`` for the name above.

    A name without scopes is what it is, but for the number of an output (``dense:0``).
    """
    parts = [part for part in tensor_name.split(";")[0].split("/") if part]
    return parts[-2] if len(parts) > 1 else (parts[0].partition(":")[0] if parts else "")


def short_name_at(graph: Subgraph, index: int) -> str:
    """The layer of an operator: the short name of its first output, empty where it has none."""
    outputs = graph.operators[index].outputs
    return short_name(graph.tensors[outputs[0]].name) if outputs else ""
