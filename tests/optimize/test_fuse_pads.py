"""PADs go into the convolution behind them exactly where SAME means the same."""

from __future__ import annotations

from typing import Any

import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.network import Network
from edgecompile.optimize import fuse_pads

Pair = tuple[int, int]


def padded(
    rows: Pair,
    columns: Pair,
    size: int,
    after: int,
    kernel: int = 3,
    stride: int = 1,
    dilation: int = 1,
    name: str = "CONV_2D",
    dtype: str = "int8",
    zero: int = -7,
    pad: str = "PAD",
    value: Any = None,
    others: tuple[Pair, Pair] = ((0, 0), (0, 0)),
    second_reader: bool = False,
    padding: str = "VALID",
) -> Network:
    """PAD of ``[1, size, size, 4]`` and a window over it that gives ``[1, after, after, 4]``."""
    net = Net()
    parameters = {"dtype": dtype, "zero": 0 if dtype == "float32" else zero}
    source = net.tensor((1, size, size, 4), name="in", **parameters)
    channels = 4 + sum(others[1])
    made = net.tensor((1, size + sum(rows), size + sum(columns), channels), **parameters)
    result = net.tensor((1, after, after, channels), name="out", **parameters)
    amounts = net.constant([others[0], rows, columns, others[1]])
    extra = [net.constant(value, dtype, zero=zero)] if pad == "PADV2" else []
    net.op(pad, [source, amounts, *extra], [made], 2)
    strides = {"stride_h": stride, "stride_w": stride, "padding": padding}
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        net.conv(made, result, kernel, name, dilation_h_factor=dilation, dilation_w_factor=dilation, **strides)
    else:
        sizes = {"filter_height": kernel, "filter_width": kernel, "fused_activation_function": "NONE"}
        net.op(name, [made], [result], 2, **strides, **sizes)
    if not second_reader:
        return net.network([source], [result], signature=True)
    side = net.tensor(net.tensors[made].shape, name="side", **parameters)
    net.op("RELU", [made], [side], 2)
    return net.network([source], [result, side])


SAME = {
    "stride 1, 3x3": padded((1, 1), (1, 1), 8, 8),
    "stride 2, 3x3, even size": padded((0, 1), (0, 1), 8, 4, stride=2),
    "stride 2, 3x3, odd size": padded((1, 1), (1, 1), 9, 5, stride=2),
    "stride 2, 5x5, even size": padded((1, 2), (1, 2), 8, 4, kernel=5, stride=2),
    "dilation 2": padded((2, 2), (2, 2), 8, 8, dilation=2),
    "depthwise": padded((0, 1), (0, 1), 8, 4, stride=2, name="DEPTHWISE_CONV_2D"),
    "float": padded((1, 1), (1, 1), 8, 8, dtype="float32"),
    "float depthwise": padded((1, 1), (1, 1), 8, 8, dtype="float32", name="DEPTHWISE_CONV_2D"),
    "PADV2 with the zero point": padded((1, 1), (1, 1), 8, 8, pad="PADV2", value=-7),
    "a maximum where the pad is the minimum": padded((0, 1), (0, 1), 8, 4, stride=2, name="MAX_POOL_2D", zero=-128),
}


@pytest.mark.parametrize("network", SAME.values(), ids=SAME.keys())
def test_a_pad_is_taken_in(judge: Judge, network: Network) -> None:
    window = network.main.operators[1].name

    after = rewritten(judge, fuse_pads, network, [window])

    assert after.main.operators[0].options["padding"] == "SAME"
    assert after.main.operators[0].inputs[0] == network.main.inputs[0]


REFUSED = {
    "SAME would pad behind only": padded((1, 1), (1, 1), 8, 4, stride=2),
    "SAME would pad less": padded((2, 2), (2, 2), 8, 10),
    "SAME would pad on the other side": padded((1, 0), (1, 0), 8, 8, kernel=2),
    "channels are padded": padded((1, 1), (1, 1), 8, 8, others=((0, 0), (0, 4)), name="DEPTHWISE_CONV_2D"),
    "another operator reads the padded tensor": padded((1, 1), (1, 1), 8, 8, second_reader=True),
    "PADV2 with another value": padded((1, 1), (1, 1), 8, 8, pad="PADV2", value=5),
    "a maximum where the pad can win": padded((0, 1), (0, 1), 8, 4, stride=2, name="MAX_POOL_2D", zero=-7),
    "an average": padded((0, 1), (0, 1), 8, 4, stride=2, name="AVERAGE_POOL_2D", zero=-128),
    "a convolution that pads itself": padded((1, 1), (1, 1), 8, 10, padding="SAME"),
}


@pytest.mark.parametrize("network", REFUSED.values(), ids=REFUSED.keys())
def test_a_pad_stays_when(judge: Judge, network: Network) -> None:
    untouched(judge, fuse_pads, network)
