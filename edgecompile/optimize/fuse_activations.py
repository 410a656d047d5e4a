"""Let the operator before a RELU clamp its own result: ``relu(f(x)) = f_relu(x)``."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.network import Network, Operator
from edgecompile.optimize._draft import Draft, rewrite, same_type

ORDER = 40
SUMMARY = "activations taken into the operator before"

# Pools are left alone: they could clamp too, but accelerators that take pools often refuse a clamp in them.
_HOSTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "DIV")
# What the clamp by the first and then by the second is.
_COMPOSED = {
    ("NONE", "RELU"): "RELU",
    ("NONE", "RELU6"): "RELU6",
    ("NONE", "RELU_N1_TO_1"): "RELU_N1_TO_1",
    ("RELU", "RELU"): "RELU",
    ("RELU", "RELU6"): "RELU6",
    ("RELU6", "RELU"): "RELU6",
    ("RELU6", "RELU6"): "RELU6",
    ("RELU_N1_TO_1", "RELU_N1_TO_1"): "RELU_N1_TO_1",
}


def run(network: Network) -> tuple[Network, list[str]]:
    """``y = clamp(f(x), a, b)`` in two operators becomes ``y = f(x)`` with fused activation ``clamp(., a, b)``.

    Exact in float: the host clamps the same accumulated value. Exact in integers when both results have one
    scale and zero point: then the separate operator rescales by 1 and clamps at
    ``z + round(a / s)``, as the host does. Refused when the scales differ (the host would round once where the pair
    rounds twice), when anybody else reads the value before the clamp, and for
    hosts that have no such option.
    """
    return rewrite(network, _step)


def _step(draft: Draft) -> list[str]:
    words = []
    for index, operator in draft.alive():
        found = _host(draft, operator)
        if found is None:
            continue
        position, host, activation = found
        options = {**host.options, "fused_activation_function": activation}
        draft.put(index, None)
        draft.put(position, replace(host, outputs=operator.outputs, options=options))
        words.append(f"{operator.label} into {host.label}")
    return words


def _host(draft: Draft, operator: Operator) -> tuple[int, Operator, str] | None:
    """The operator that can do the clamp, with its index and its activation afterwards."""
    if operator.name not in ("RELU", "RELU6", "RELU_N1_TO_1"):
        return None
    before, after = operator.inputs[0], operator.outputs[0]
    host = draft.writer(before)
    if host is None or host[1].name not in _HOSTS or len(host[1].outputs) != 1:
        return None
    if before in draft.kept or len(draft.readers(before)) != 1 or not _same_clamp(draft, before, after):
        return None
    present = host[1].options.get("fused_activation_function", "NONE")
    activation = _COMPOSED.get((present, operator.name))
    return (*host, activation) if activation is not None else None


def _same_clamp(draft: Draft, before: int, after: int) -> bool:
    a, b = draft.tensors[before], draft.tensors[after]
    if a.dtype == "float32":
        # The converter may note a quantization on floats; it has no meaning there.
        return b.dtype == "float32" and a.shape == b.shape and not (a.is_dynamic or b.is_dynamic)
    integers = a.dtype in ("int8", "uint8", "int16") and a.quantization is not None
    return integers and same_type(a, b)
