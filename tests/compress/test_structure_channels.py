"""Taking channels out gives the outputs that zeroing them gives, through every operator that carries channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from structure_networks import Chain, run

from edgecompile.compress.structure.groups import Grouping, group
from edgecompile.compress.structure.importance import indices_of
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.prune import kept_for
from edgecompile.compress.structure.remove import remove
from edgecompile.compress.structure.reorder import moves_of, reordered
from edgecompile.ir.network import Buffer, Network
from edgecompile.ir.rewrite import replace_subgraph

Array = np.ndarray[Any, Any]
# Sums of a few hundred float32 products in another order.
CLOSE = 2e-5


def _residual(c: Chain) -> Network:
    x = c.conv(c.x, 8)
    y = c.conv(c.conv(x, 12), 8, act="NONE")
    return c.end(c.dense(c.mean(c.op("ADD", [x, y], (1, 6, 6, 8), fused_activation_function="RELU")), 5))


def _depthwise(c: Chain) -> Network:
    return c.end(c.dense(c.mean(c.conv(c.depthwise(c.conv(c.depthwise(c.conv(c.x, 6), 2), 8, 1)), 7)), 5))


def _concatenation(c: Chain) -> Network:
    x, y = c.conv(c.x, 6), c.conv(c.x, 10)
    both = c.op("CONCATENATION", [x, y], (1, 6, 6, 16), axis=3)
    z = c.conv(both, 16)
    return c.end(c.dense(c.mean(c.op("MUL", [z, both], (1, 6, 6, 16))), 5))


def _flatten(c: Chain) -> Network:
    pooled = c.op(
        "MAX_POOL_2D", [c.conv(c.x, 8)], (1, 3, 3, 8),
        padding="VALID", stride_h=2, stride_w=2, filter_height=2, filter_width=2,
    )  # fmt: skip
    return c.end(c.dense(c.dense(c.flat(pooled), 12, "RELU"), 5))


def _read_flat(c: Chain) -> Network:
    return c.end(c.dense(c.conv(c.x, 8), 5))


def _turned(c: Chain) -> Network:
    turned = c.op("TRANSPOSE", [c.conv(c.x, 8), c.integers(0, 3, 1, 2)], (1, 8, 6, 6))
    return c.end(c.dense(c.flat(turned), 5))


def _padded_shortcut(c: Chain) -> Network:
    x = c.conv(c.x, 6)
    wide = c.op("PAD", [x, c.integers([0, 0], [0, 0], [0, 0], [2, 4])], (1, 6, 6, 12))
    return c.end(c.dense(c.mean(c.op("ADD", [wide, c.conv(x, 12, act="NONE")], (1, 6, 6, 12))), 5))


def _parts(c: Chain) -> Network:
    x = c.conv(c.x, 12)
    halves = [c.build.tensor(c.name("half"), (1, 6, 6, 6)) for _ in range(2)]
    c.build.op("SPLIT", [c.integers(3), x], halves, num_splits=2)
    piece = c.op("SLICE", [x, c.integers(0, 0, 0, 2), c.integers(1, 6, 6, 5)], (1, 6, 6, 5))
    parts = [c.build.tensor(c.name("part"), (1, 6, 6, n)) for n in (4, 8)]
    c.build.op("SPLIT_V", [x, c.integers(4, 8), c.integers(3)], parts, num_splits=2)
    joined = c.op("CONCATENATION", [c.conv(halves[0], 4), c.conv(piece, 4), *parts, halves[1]], (1, 6, 6, 26), axis=3)
    return c.end(c.dense(c.mean(joined), 5))


def _excited(c: Chain) -> Network:
    x = c.conv(c.x, 8)
    squeezed = c.op("MEAN", [x, c.integers(1, 2)], (1, 1, 1, 8), keep_dims=True)
    gate = c.op("LOGISTIC", [c.conv(c.conv(squeezed, 4, 1), 8, 1, act="NONE")], (1, 1, 1, 8))
    return c.end(c.dense(c.mean(c.op("MUL", [x, gate], (1, 6, 6, 8))), 5))


def _unfused_norm(c: Chain) -> Network:
    x = c.conv(c.x, 8, act="NONE")
    x = c.op("MUL", [x, c.bias(8)], (1, 6, 6, 8))
    x = c.op("SUB", [x, c.bias(8)], (1, 6, 6, 8))
    slopes = c.build.constant("slopes", c.random.normal(size=(1, 1, 8)).astype(np.float32))
    x = c.op("PRELU", [x, slopes], (1, 6, 6, 8))
    return c.end(c.dense(c.mean(c.op("MAXIMUM", [x, c.conv(c.x, 8)], (1, 6, 6, 8))), 5))


def _shuffled(c: Chain) -> Network:
    x = c.conv(c.x, 8)
    apart = c.op("RESHAPE", [x, c.integers(1, 6, 6, 2, 4)], (1, 6, 6, 2, 4), new_shape=(1, 6, 6, 2, 4))
    turned = c.op("TRANSPOSE", [apart, c.integers(0, 1, 2, 4, 3)], (1, 6, 6, 4, 2))
    back = c.op("RESHAPE", [turned, c.integers(1, 6, 6, -1)], (1, 6, 6, 8), new_shape=(1, 6, 6, -1))
    return c.end(c.dense(c.mean(back), 5))


def _deep_space(c: Chain) -> Network:
    wide = c.op("DEPTH_TO_SPACE", [c.conv(c.x, 16)], (1, 12, 12, 4), block_size=2)
    deep = c.op("SPACE_TO_DEPTH", [wide], (1, 6, 6, 16), block_size=2)
    return c.end(c.dense(c.mean(deep), 5))


def _grouped(c: Chain) -> Network:
    x = c.conv(c.x, 8)
    y = c.build.tensor("grouped", (1, 6, 6, 12))
    c.build.op("CONV_2D", [x, c.weights(12, 3, 3, 4), c.bias(12)], [y], padding="SAME")
    return c.end(c.dense(c.mean(y), 5))


def _upsampled(c: Chain) -> Network:
    x = c.conv(c.x, 8)
    y = c.build.tensor("up", (1, 12, 12, 6))
    inputs = [c.integers(1, 12, 12, 6), c.weights(6, 3, 3, 8), x, c.bias(6)]
    c.build.op("TRANSPOSE_CONV", inputs, [y], padding="SAME", stride_h=2, stride_w=2)
    return c.end(c.dense(c.mean(y), 5))


def _one_to_many(c: Chain) -> Network:
    grey = c.op("MEAN", [c.x, c.integers(3)], (1, 6, 6, 1), keep_dims=True)
    return c.end(c.dense(c.mean(c.depthwise(grey, 8)), 5))


def _mixed(c: Chain) -> Network:
    """A few random blocks, one behind another."""
    x = c.conv(c.x, 8)
    for _ in range(4):
        width = c.shape(x)[3]
        kind = c.random.integers(4)
        if kind == 0:
            x = c.op("ADD", [x, c.conv(c.conv(x, int(c.random.integers(4, 12))), width)], c.shape(x))
        elif kind == 1:
            x = c.depthwise(x, int(c.random.integers(1, 3)))
        elif kind == 2:
            other = c.conv(x, 5, 1)
            x = c.op("CONCATENATION", [other, x], (1, 6, 6, width + 5), axis=-1)
        else:
            x = c.conv(x, int(c.random.integers(4, 12)))
    return c.end(c.dense(c.flat(x) if c.random.random() < 0.5 else c.mean(x), 5))


SHAPES: dict[str, tuple[Callable[[Chain], Network], int]] = {
    "residual": (_residual, 2),
    "depthwise": (_depthwise, 3),
    "concatenation": (_concatenation, 2),
    "flatten": (_flatten, 2),
    "read flat": (_read_flat, 1),
    "transpose": (_turned, 1),
    "padded shortcut": (_padded_shortcut, 2),
    "split and slice": (_parts, 5),
    "squeeze-excite": (_excited, 2),
    "unfused batch norm": (_unfused_norm, 1),
    "channel shuffle": (_shuffled, 1),
    "depth to space": (_deep_space, 1),
    "groups": (_grouped, 2),
    "transpose conv": (_upsampled, 2),
    "depthwise of one channel": (_one_to_many, 1),
    **{f"mixed {seed}": (_mixed, 0) for seed in range(4)},
}


@pytest.mark.parametrize("name", SHAPES)
def test_zeroing_channels_and_taking_them_out_give_the_same(name: str) -> None:
    make, least_groups = SHAPES[name]
    network = own_constants(make(Chain(sum(map(ord, name)))))
    grouping = group(network)
    gone = _some(grouping, np.random.default_rng(1))
    x = np.random.default_rng(2).normal(size=(3, *network.main.tensors[network.main.inputs[0]].shape)).astype("f4")

    smaller = remove(network, kept_for(network, grouping, gone))

    assert len(grouping.groups) >= max(least_groups, 1)
    assert any(gone)
    assert smaller.main.tensors[smaller.main.outputs[0]].shape == (1, 5)
    assert _elements(smaller) < _elements(network)
    expected = run(_zeroed(network, grouping, gone), x)[0]
    assert np.abs(run(smaller, x)[0] - expected).max() <= CLOSE * np.abs(expected).max()


@pytest.mark.parametrize("name", SHAPES)
def test_channels_in_another_order_give_the_same(name: str) -> None:
    network = own_constants(SHAPES[name][0](Chain(sum(map(ord, name)))))
    grouping, random = group(network), np.random.default_rng(1)
    orders = [
        np.roll(np.arange(n), random.integers(1, max(n, 2))) for n in (len(found.channels) for found in grouping.groups)
    ]
    orders = [np.concatenate([order[1::2], order[0::2]]) if len(order) > 2 else order for order in orders]
    x = np.random.default_rng(2).normal(size=(3, *network.main.tensors[network.main.inputs[0]].shape)).astype("f4")

    moves = moves_of(network, grouping, orders)
    other = reordered(network, moves)

    assert moves
    expected = run(network, x)[0]
    assert np.abs(run(other, x)[0] - expected).max() <= CLOSE * np.abs(expected).max()


def _some(grouping: Grouping, random: np.random.Generator) -> list[list[int]]:
    """About half of the channels of each group, one at least staying."""
    gone = []
    for found in grouping.groups:
        flags = random.random(len(found.channels)) < 0.5
        flags[random.integers(len(flags))] = False
        gone.append(np.flatnonzero(flags).tolist())
    return gone


def _zeroed(network: Network, grouping: Grouping, gone: list[list[int]]) -> Network:
    """The network with zeros in all constants where channels go."""
    main = network.main
    tensors = list(main.tensors)
    for found, places in zip(grouping.groups, gone, strict=True):
        for tensor, axis in found.axes:
            array = tensors[tensor].array
            if array is None or array.dtype != np.float32:
                continue
            indices = list(indices_of(found, grouping, (tensor, axis), array.shape[axis]))
            values = np.moveaxis(array.copy(), axis, 0)
            for place in places:
                values[indices[place]] = 0
            content = np.ascontiguousarray(np.moveaxis(values, 0, axis)).tobytes()
            tensors[tensor] = replace(tensors[tensor], buffer=Buffer(content))
    return replace_subgraph(network, replace(main, tensors=tuple(tensors)))


def _elements(network: Network) -> int:
    return sum(tensor.elements for tensor in network.main.tensors if tensor.dtype == "float32")
