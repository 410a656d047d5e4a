"""The rows that reports and comparisons are made of."""

from __future__ import annotations

import json

from small_networks import device, of_operators, tensor

from edgecompile.ir.network import Operator
from edgecompile.legalize.check import check
from edgecompile.legalize.table import table


def test_a_row_says_where_an_operator_runs_why_and_what_it_takes() -> None:
    tensors = [tensor("int8[1, 4, 4, 8]", name=f"model/layer_{i}/op") for i in range(3)]
    network = of_operators(
        tensors, [Operator(name=name, inputs=(i,), outputs=(i + 1,)) for i, name in enumerate(("RELU", "TANH"))]
    )
    verdict = check(network, device({"RELU": [{}]}), "m.tflite")

    first, second = table(network, verdict)

    assert first == {
        "index": 0,
        "subgraph": 0,
        "operator": "RELU",
        "layer": "layer_1",
        "where": "npu",
        "reason": None,
        "type": "int8[1, 4, 4, 8]",
        "macs": 0,
        "weights_bytes": 0,
        "weights_sha256": None,
        "output_bytes": 128,
    }
    assert second["where"] != "npu" and second["reason"] == verdict.placements[1].reason
    assert json.loads(json.dumps([first, second])) == [first, second]
