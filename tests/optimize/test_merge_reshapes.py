"""A reshape of a reshape starts from the first one's input."""

from __future__ import annotations

from typing import Any

import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.network import Network, Quantization
from edgecompile.optimize import merge_reshapes


def views(first: str = "RESHAPE", second: str = "RESHAPE", **middle: Any) -> Network:
    """``[1, 6, 4]`` over ``[6, 4]`` to ``[4, 6]``."""
    net = Net()
    source = net.tensor((1, 6, 4), name="in")
    made = net.tensor(**{"shape": (6, 4), **middle})
    result = net.tensor((4, 6), name="out")
    if first == "SQUEEZE":
        net.op("SQUEEZE", [source], [made], squeeze_dims=(0,))
    else:
        net.op(first, [source, net.constant([6, 4])], [made], new_shape=(6, 4))
    if second == "TRANSPOSE":
        net.op("TRANSPOSE", [made, net.constant([1, 0])], [result], 2)
    else:
        net.op(second, [made, net.constant([4, 6])], [result], new_shape=(4, 6))
    return net.network([source], [result])


@pytest.mark.parametrize("first", ["RESHAPE", "SQUEEZE"])
def test_a_reshape_skips_the_view_before_it(judge: Judge, first: str) -> None:
    after = rewritten(judge, merge_reshapes, views(first), [first, "RESHAPE"])

    assert after.main.operators[1].inputs[0] == after.main.inputs[0]


REFUSED = {
    "another operator behind": views(second="TRANSPOSE"),
    "other parameters between": views(quantization=Quantization(scales=(0.2,), zero_points=(0,))),
    "a size known at run time only": views(shape_signature=(-1, 4)),
}


@pytest.mark.parametrize("network", REFUSED.values(), ids=REFUSED.keys())
def test_a_reshape_is_left_alone(judge: Judge, network: Network) -> None:
    untouched(judge, merge_reshapes, network)
