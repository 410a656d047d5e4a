"""Let a RESHAPE of a RESHAPE start from the first one's input: ``reshape(reshape(x, a), b) = reshape(x, b)``."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.ir.network import Network
from edgecompile.optimize._draft import Draft, rewrite, same_form

ORDER = 20
SUMMARY = "reshapes of reshapes"

_VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def run(network: Network) -> tuple[Network, list[str]]:
    """``reshape(v(x), b) = reshape(x, b)`` where ``v`` is RESHAPE, SQUEEZE or EXPAND_DIMS.

    ``v`` stays where others read its result; else it is dead afterwards. Refused for sizes known
    at run time only and where dtype or quantization differ along the way.
    """
    return rewrite(network, _step)


def _step(draft: Draft) -> list[str]:
    words = []
    for index, operator in draft.alive():
        before = draft.writer(operator.inputs[0]) if operator.name == "RESHAPE" and operator.inputs else None
        if before is None or before[1].name not in _VIEWS:
            continue
        source, result = before[1].inputs[0], operator.outputs[0]
        middle = draft.tensors[operator.inputs[0]]
        if same_form(draft.tensors[source], middle) and same_form(middle, draft.tensors[result]):
            draft.put(index, replace(operator, inputs=(source, *operator.inputs[1:])))
            words.append(before[1].label)
    return words
