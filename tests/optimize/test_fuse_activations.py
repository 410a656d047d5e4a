"""RELUs go into the operator before them exactly where the result keeps every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optimize_check import rewritten, untouched
from optimize_judge import Judge
from optimize_networks import Net

from edgecompile.ir.network import Network
from edgecompile.optimize import fuse_activations

SHAPE = (1, 6, 6, 4)


def host(name: str, activation: str = "RELU", dtype: str = "int8", fused: str = "NONE", **after: Any) -> Network:
    """An operator of ``dtype`` and behind it an activation whose result has the fields ``after``."""
    net = Net()
    shape = (1, 24) if name == "FULLY_CONNECTED" else SHAPE
    scale = {"int16": 0.001, "float32": 1.0}.get(dtype, 0.1)
    zero = {"int8": -20, "uint8": 100}.get(dtype, 0)
    source = net.tensor(shape, dtype, scale=scale, zero=zero, name="in")
    made = net.tensor(shape, dtype, scale=scale, zero=zero)
    result = net.tensor(**{"shape": shape, "dtype": dtype, "scale": scale, "zero": zero, "name": "out", **after})
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        net.conv(source, made, name=name, fused_activation_function=fused)
    elif name == "FULLY_CONNECTED":
        weights = net.weights((24, 24), "float32" if dtype == "float32" else "int8")
        bias = net.bias(24, "float32" if dtype == "float32" else "int32")
        net.op(name, [source, weights, bias], [made], 4 if dtype == "int8" else 1, fused_activation_function=fused)
    else:
        other = net.weights(shape, dtype) if dtype == "float32" else net.constant(net_values(shape, dtype), dtype)
        net.op(name, [source, other], [made], 2, fused_activation_function=fused)
    net.op(activation, [made], [result], 1 if activation == "RELU_N1_TO_1" else 2)
    return net.network([source], [result], signature=True)


def net_values(shape: tuple[int, ...], dtype: str) -> Any:
    limits = np.iinfo(dtype)
    return np.random.default_rng(1).integers(limits.min, limits.max + 1, shape)


HOSTS = {
    **{f"{name} int8": (name, "RELU", "int8") for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")},
    **{f"{name} int8": (name, "RELU", "int8") for name in ("ADD", "SUB", "MUL")},
    **{f"{name} uint8": (name, "RELU", "uint8") for name in ("ADD", "MUL")},
    **{f"{name} float32": (name, "RELU", "float32") for name in ("CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "DIV")},
    **{f"CONV_2D {kind}": ("CONV_2D", kind, "int8") for kind in ("RELU6", "RELU_N1_TO_1")},
    **{f"ADD float32 {kind}": ("ADD", kind, "float32") for kind in ("RELU6", "RELU_N1_TO_1")},
}


@pytest.mark.parametrize(("name", "activation", "dtype"), HOSTS.values(), ids=HOSTS.keys())
def test_an_activation_is_taken_into(judge: Judge, name: str, activation: str, dtype: str) -> None:
    rewritten(judge, fuse_activations, host(name, activation, dtype), [f"{name}+{activation}"])


COMPOSED = {
    "RELU after RELU": ("RELU", "RELU", "RELU"),
    "RELU6 after RELU": ("RELU", "RELU6", "RELU6"),
    "RELU after RELU6": ("RELU6", "RELU", "RELU6"),
}


@pytest.mark.parametrize(("fused", "activation", "expected"), COMPOSED.values(), ids=COMPOSED.keys())
def test_two_clamps_are_one(judge: Judge, fused: str, activation: str, expected: str) -> None:
    rewritten(judge, fuse_activations, host("CONV_2D", activation, fused=fused), [f"CONV_2D+{expected}"])


def read_twice(outer: bool) -> Network:
    """The value before the clamp is read by another operator, or is an output itself."""
    net = Net()
    source, made = net.tensor(SHAPE, name="in"), net.tensor(SHAPE, name="made")
    clamped, result = net.tensor(SHAPE), net.tensor(SHAPE, name="out")
    net.conv(source, made)
    net.op("RELU", [made], [clamped], 2)
    if outer:
        return net.network([source], [made, clamped])
    net.op("ADD", [made, clamped], [result], 2, fused_activation_function="NONE")
    return net.network([source], [result])


def pool() -> Network:
    net = Net()
    source, made, result = net.tensor(SHAPE, name="in"), net.tensor((1, 3, 3, 4)), net.tensor((1, 3, 3, 4), name="out")
    sizes = {"stride_h": 2, "stride_w": 2, "filter_height": 2, "filter_width": 2}
    net.op("MAX_POOL_2D", [source], [made], 2, padding="VALID", fused_activation_function="NONE", **sizes)
    net.op("RELU", [made], [result], 2)
    return net.network([source], [result])


def after_reshape() -> Network:
    net = Net()
    source, made, result = net.tensor((1, 4), name="in"), net.tensor((2, 2)), net.tensor((2, 2), name="out")
    net.op("RESHAPE", [source, net.constant([2, 2])], [made], new_shape=(2, 2))
    net.op("RELU", [made], [result], 2)
    return net.network([source], [result])


REFUSED = {
    "the scale changes": host("CONV_2D", scale=0.05),
    "the zero point changes": host("CONV_2D", zero=-128),
    "RELU_N1_TO_1 after RELU": host("CONV_2D", "RELU_N1_TO_1", fused="RELU"),
    "another operator reads the value before": read_twice(outer=False),
    "the value before is an output": read_twice(outer=True),
    "a pool": pool(),
    "an operator without activation": after_reshape(),
}


@pytest.mark.parametrize("network", REFUSED.values(), ids=REFUSED.keys())
def test_an_activation_stays_when(judge: Judge, network: Network) -> None:
    untouched(judge, fuse_activations, network)
