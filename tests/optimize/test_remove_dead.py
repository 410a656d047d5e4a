"""What no output depends on goes; what has an effect, or is known outside, stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net, labels

from edgecompile.ir.network import Buffer, Network, Operator
from edgecompile.optimize import remove_dead

SHAPE = (1, 6, 6, 4)


def branched() -> Network:
    """The output needs one convolution; a branch of two and an unused constant lie beside it."""
    net = Net()
    net.constant([1, 2, 3], name="unused")
    source = net.tensor(SHAPE, name="in")
    dead, deader, result = net.tensor(SHAPE), net.tensor(SHAPE), net.tensor(SHAPE, name="out")
    net.conv(source, dead)
    net.conv(dead, deader)
    net.conv(source, result)
    return net.network([source], [result], signature=True)


def test_a_branch_that_leads_nowhere_goes_with_its_weights(judge: Judge) -> None:
    after = rewritten(judge, remove_dead, branched(), ["CONV_2D"])

    assert len(after.main.tensors) == 4
    assert len(after.buffers) == 3 and len(after.buffers[0]) == 0
    assert after.signatures[0].inputs == {"in0": after.main.inputs[0]}
    assert after.signatures[0].outputs == {"out0": after.main.outputs[0]}


def test_a_network_without_dead_parts_stays(judge: Judge) -> None:
    once, _ = remove_dead.run(branched())

    untouched(judge, remove_dead, once)


def test_an_unused_input_stays(judge: Judge) -> None:
    net = Net()
    source, unused, result = (
        net.tensor(SHAPE, name="in"),
        net.tensor(SHAPE, name="other"),
        net.tensor(SHAPE, name="out"),
    )
    net.op("RELU", [source], [result], 2)

    untouched(judge, remove_dead, net.network([source, unused], [result]))


def test_an_input_left_out_stays_left_out(judge: Judge) -> None:
    net = Net()
    net.constant([1], name="unused")
    source, result = net.tensor((1, 4), name="in"), net.tensor((1, 3), name="out")
    net.op("FULLY_CONNECTED", [source, net.weights((3, 4)), -1], [result], 6, fused_activation_function="NONE")

    after = rewritten(judge, remove_dead, net.network([source], [result]), ["FULLY_CONNECTED"])

    assert after.main.operators[0].inputs[2] == -1


EFFECTS = {
    "custom code": Operator(name="CUSTOM", inputs=(0,), outputs=(2,), custom_code="Log"),
    "a called subgraph": Operator(name="CALL_ONCE", inputs=(), outputs=(), options={"init_subgraph_index": 1}),
    "a random number": Operator(name="RANDOM_UNIFORM", inputs=(0,), outputs=(2,)),
    "a variable": Operator(name="SVDF", inputs=(0, 3), outputs=(2,)),
    "a resource": Operator(name="READ_VARIABLE", inputs=(4,), outputs=(2,)),
}


@pytest.mark.parametrize("operator", EFFECTS.values(), ids=EFFECTS.keys())
def test_an_operator_with_an_effect_stays(operator: Operator) -> None:
    net = Net()
    source, result = net.tensor(SHAPE, name="in"), net.tensor(SHAPE, name="out")
    net.tensor(SHAPE)
    net.tensor(SHAPE, is_variable=True)
    net.tensor((1,), "resource")
    net.operators.append(operator)
    net.op("RELU", [source], [result], 2)

    after, _ = remove_dead.run(net.network([source], [result]))

    assert labels(after) == [operator.label, "RELU"]


def test_buffers_of_the_metadata_stay() -> None:
    network, _ = remove_dead.run(branched())
    noted, unused = Buffer(b"1.14.0"), Buffer(b"nobody's")
    network = replace(network, buffers=(*network.buffers, noted, unused), metadata={"min_runtime_version": noted})

    after, words = remove_dead.run(network)

    assert words == ["buffer"] and after.buffers == network.buffers[:-1]
