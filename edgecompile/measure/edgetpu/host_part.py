"""How long the host takes for the operators that the accelerator leaves to it.

TensorFlow Lite's kernels on the host, in the simplest terms: so much for each multiplication, so much for each element
that an operator reads or writes, whichever are more. What a custom operator does, such as the choice of boxes behind a
detector, is counted as its elements.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgecompile.ir.costs import macs
from edgecompile.ir.network import Operator, Subgraph, Tensor
from edgecompile.measure.edgetpu.device import Link


def host_s(subgraph: Subgraph, operators: Iterable[int], link: Link) -> float:
    """Seconds for these operators on the host at the other end of the link."""
    running = [subgraph.operators[index] for index in operators]
    elements = sum(_elements(subgraph, operator) for operator in running)
    products = sum(macs(subgraph, operator) or 0 for operator in running)
    return elements * link.host_element_s + products * link.host_product_s


def _elements(subgraph: Subgraph, operator: Operator) -> int:
    inputs = [tensor for tensor in subgraph.inputs_of(operator) if tensor is not None and not tensor.is_constant]
    return max(_count(inputs), _count(subgraph.outputs_of(operator)))


def _count(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.elements for tensor in tensors)
