"""The child's half of ``libs/delegates.py``: load models with the real delegate, or have TensorFlow's checker look."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

from edgecompile.libs.libraries import require
from edgecompile.libs.litert_engines import interpreter_of

_OPERATOR = re.compile(r"^\s*Op#(\d+) ")
_SUBGRAPH = re.compile(r"^\s*Subgraph#(\d+)")
_REFUSED = re.compile(r"^\s*GPU COMPATIBILITY WARNING: (?!Subgraph#)")


def xnnpack(paths: list[str], runtime: str) -> list[dict[str, Any]]:
    """For each model: the operators inside the interpreter's ``DELEGATE`` nodes, and how many such nodes there are."""
    return [_delegated(path, runtime) for path in paths]


def gpu(paths: list[str], runtime: str) -> list[dict[str, Any]]:
    """For each model: the operators of the first subgraph that the checker has no warning for."""
    with contextlib.redirect_stdout(io.StringIO()):
        analyzer = require("tensorflow", "to ask the GPU delegate's checker", "tensorflow").lite.experimental.Analyzer
    return [_analyzed(path, analyzer) for path in paths]


def _delegated(path: str, runtime: str) -> dict[str, Any]:
    try:
        interpreter = interpreter_of(runtime)[0](model_path=path, num_threads=1)
        interpreter.allocate_tensors()
        nodes = interpreter._get_ops_details()
    except (RuntimeError, ValueError) as error:
        return {"error": str(error).strip().partition("\n")[0]}
    delegates = [node for node in nodes if node["op_name"] == "DELEGATE"]
    operators = [node for node in nodes if node["op_name"] != "DELEGATE"]
    makers = {int(tensor): index for index, node in enumerate(operators) for tensor in node["outputs"]}
    taken: set[int] = set()
    for node in delegates:
        taken |= _inside(node, operators, makers)
    return {"taken": sorted(taken), "partitions": len(delegates)}


def _inside(node: dict[str, Any], operators: list[dict[str, Any]], makers: dict[int, int]) -> set[int]:
    """What a delegate's node stands for: everything between its inputs and its outputs."""
    given = {int(tensor) for tensor in node["inputs"]}
    waiting, inside = [int(tensor) for tensor in node["outputs"]], set()
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is None or maker in inside:
            continue
        inside.add(maker)
        waiting += [int(i) for i in operators[maker]["inputs"] if int(i) not in given]
    return inside


def _analyzed(path: str, analyzer: Any) -> dict[str, Any]:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        analyzer.analyze(model_path=path, gpu_compatibility=True)
    return read_analysis(told.getvalue())


def read_analysis(text: str) -> dict[str, Any]:
    """The analyzer's text as an answer: each operator of subgraph 0 is followed by a warning where it is refused."""
    subgraph, operator = -1, -1
    seen: list[int] = []
    refused: set[int] = set()
    for line in text.splitlines():
        if (match := _SUBGRAPH.match(line)) is not None:
            subgraph = int(match[1])
        elif (match := _OPERATOR.match(line)) is not None and subgraph == 0:
            operator = int(match[1])
            seen.append(operator)
        elif _REFUSED.match(line) and subgraph == 0:
            refused.add(operator)
    return {"taken": [index for index in seen if index not in refused]} if seen else {"error": "not readable"}
