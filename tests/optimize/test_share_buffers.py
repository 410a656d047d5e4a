"""Equal constants are stored once."""

from __future__ import annotations

import numpy as np
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.optimize import remove_dead, share_buffers

SHAPE = (1, 6, 6, 8)


def twins(differ: bool = False) -> Network:
    """Two convolutions with weights of the same seed, the second with another last byte if ``differ``."""
    net = Net()
    source, made, result = net.tensor(SHAPE, name="in"), net.tensor(SHAPE), net.tensor(SHAPE, name="out")
    net.conv(source, made)
    net.conv(made, result)
    first, second = net.operators[0].inputs[1:], net.operators[1].inputs[1:]
    assert net.tensors[first[0]].buffer is not net.tensors[second[0]].buffer
    if differ:
        for index, tensor in enumerate(second):
            array = np.array(net.tensors[tensor].array)
            array.reshape(-1)[-1] += 1 + index
            net.replace_constant(tensor, array)
    return net.network([source], [result])


def test_equal_weights_share_one_buffer_and_the_file_shrinks(judge: Judge) -> None:
    network = twins()

    after = rewritten(judge, share_buffers, network, ["CONV_2D", "CONV_2D"])

    main = after.main
    first, second = ([main.tensors[t].buffer for t in operator.inputs[1:]] for operator in main.operators)
    assert all(a is b for a, b in zip(first, second, strict=True))
    small, _ = remove_dead.run(after)
    assert len(write(small)) < len(write(network)) - 8 * 9 * 8


def test_different_weights_stay_apart(judge: Judge) -> None:
    untouched(judge, share_buffers, twins(differ=True))


def test_shared_buffers_are_not_shared_again(judge: Judge) -> None:
    once, _ = share_buffers.run(twins())

    untouched(judge, share_buffers, once)


def test_variables_keep_buffers_of_their_own() -> None:
    net = Net()
    states = [net.constant([1, 2, 3], is_variable=True) for _ in range(2)]
    result = net.tensor((3,), "int32")
    net.op("ADD", states, [result], fused_activation_function="NONE")
    network = net.network([], [result])

    assert share_buffers.run(network) == (network, [])
