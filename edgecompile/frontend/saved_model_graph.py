"""Which operators of a SavedModel run when it is loaded and called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

_INITIALIZERS = ("saved_model_main_op", "legacy_init_op", "__saved_model_init_op")


def operators_that_run(graph: Any) -> Iterator[str]:
    """Names of the operators in a ``MetaGraphDef``'s callable functions and what they call.

    The saver's own functions (``SaveV2``, ``RestoreV2``) are not among them unless the model calls them: TensorFlow 2
    restores variables without running the graph. A graph of TensorFlow 1 is run through nodes instead: those that
    its signatures, initializers and its restore operator depend on.
    """
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    if graph.object_graph_def.nodes:
        yield from _reached(functions, graph.object_graph_def.concrete_functions)
        return
    nodes = {node.name: node for node in graph.graph_def.node}
    roots = [output.name for signature in graph.signature_def.values() for output in signature.outputs.values()]
    for name in _INITIALIZERS:
        if name in graph.collection_def:
            roots += list(graph.collection_def[name].node_list.value)
    yield from _upstream(nodes, functions, roots)
    for operator in _upstream(nodes, functions, [graph.saver_def.restore_op_name]):
        if operator not in ("RestoreV2", "Restore", "RestoreSlice"):
            yield operator


def _reached(functions: dict[str, Any], roots: Iterable[str]) -> Iterator[str]:
    seen, waiting = set(), list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            yield node.op
            waiting += _called(node, functions)


def _called(node: Any, functions: dict[str, Any]) -> list[str]:
    """Functions named in a node's attributes (calls, branches, loop bodies), or by its own operator name."""
    named = [node.op] if node.op in functions else []
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            named.append(attribute.func.name)
        named += [function.name for function in attribute.list.func]
    return named


def _upstream(nodes: dict[str, Any], functions: dict[str, Any], roots: Iterable[str]) -> Iterator[str]:
    seen, waiting = set(), [_node_name(root) for root in roots]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        yield nodes[name].op
        yield from _reached(functions, _called(nodes[name], functions))
        waiting += [_node_name(source) for source in nodes[name].input]


def _node_name(tensor: str) -> str:
    return tensor.removeprefix("^").split(":")[0]
