"""What the writer makes of operators that a pass changed, and what it refuses as the pass's fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from ir_networks import conv_network, raw_model

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network, Operator, Subgraph
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write

Wrong = Callable[[Network], Network]


def with_operator(operator: Operator) -> Wrong:
    def change(network: Network) -> Network:
        main: Subgraph = replace(network.main, operators=(operator,))
        return replace(network, subgraphs=(main,))

    return change


@pytest.mark.parametrize(
    "operator, says",
    [
        pytest.param(Operator(name="CONV_3000", inputs=(), outputs=()), "no operator `CONV_3000`", id="name"),
        pytest.param(
            Operator(name="ADD", inputs=(), outputs=(), options={"fused_activation": "RELU"}),
            "did you mean `fused_activation_function`",
            id="setting",
        ),
        pytest.param(
            Operator(name="ADD", inputs=(), outputs=(), options={"fused_activation_function": "RELUU6"}),
            "did you mean `RELU6`",
            id="enumeration",
        ),
        pytest.param(
            Operator(name="FLOOR", inputs=(), outputs=(), options={"axis": 1}), "has no settings", id="no table"
        ),
    ],
)
def test_a_network_that_no_file_can_hold_is_a_value_error(operator: Operator, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write(with_operator(operator)(conv_network()))


def test_an_operator_renamed_by_a_pass_gets_the_options_of_its_new_name() -> None:
    build = NetworkBuilder()
    x, y = build.input("x", (4,)), build.tensor("y", (4,))
    build.op("MUL", [x, x], [y], fused_activation_function="RELU")
    network = read(write(build.output(y).build()))
    renamed = replace(network.main.operators[0], name="DIV")

    again = read(write(with_operator(renamed)(network)))

    assert (again.main.operators[0].name, again.main.operators[0].options) == (
        "DIV",
        {"fused_activation_function": "RELU"},
    )
    assert type(raw_model(write(again)).subgraphs[0].operators[0].builtinOptions).__name__ == "DivOptionsT"
