"""Pruned weights without their zeros: which networks XNNPACK computes sparsely, what is stored, and equal outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rewrites_judge import labels, outer, run, samples, target
from sparse_networks import EQUAL_PADS, Pruned, pruned

from edgecompile.config.profiles import load
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.sparse import dense_twin, values_of
from edgecompile.ir.writer import write
from edgecompile.legalize.check import check
from edgecompile.legalize.legalize import legalize
from edgecompile.legalize.rewrites import sparse_weights
from edgecompile.legalize.sparse_form import find
from edgecompile.optimize.apply import apply

# Sums in another order.
FLOAT_SHARE = 1e-5


def stem(net: Pruned) -> Pruned:
    return net.pad(*EQUAL_PADS).conv(16, 3, 2, padding="VALID")


def end(net: Pruned) -> Network:
    return net.mean().done()


def squeezed(net: Pruned) -> Network:
    """Something in the middle is read by an operator without a channels-first form."""
    inside = net.conv(16, 1, zeros=0.8).x
    outside = net.put("FLOOR", [inside], net.shape).put("SOFTMAX", [net.x], net.shape, beta=1.0).x
    net.x = inside
    end(net)
    return net.output(outside).build()


def legal(network: Network) -> tuple[Network, list[str]]:
    """As `build` does it for the profile, and the lines it tells."""
    tidy = apply(network).network
    done = legalize(tidy, load("android-cpu"), (), lambda found, without: apply(found, without).network)
    return done.network, [rewrite.line for rewrite in done.rewrites if rewrite.name == "sparse_weights"]


def sparse(network: Network) -> int:
    return sum(tensor.is_sparse for tensor in network.main.tensors)


FORMED: dict[str, tuple[Callable[[], Network], str]] = {
    "already in the form": (pruned, "1 CONV_2D;"),
    "half floats": (lambda: pruned(half=True), "1 CONV_2D;"),
    "stem of an odd image": (
        lambda: end(Pruned(17).conv(16, 3, 2).conv(16, 1, zeros=0.8)),
        "2 CONV_2D;",
    ),
    "uneven stride": (
        lambda: end(stem(Pruned()).depthwise(3, 2).conv(16, 1, zeros=0.8)),
        "1 DEPTHWISE_CONV_2D",
    ),
    "Keras's pad of a stride": (
        lambda: end(stem(Pruned()).pad((0, 1), (0, 1)).depthwise(3, 2, "VALID").conv(16, 1, zeros=0.8)),
        "1 DEPTHWISE_CONV_2D",
    ),
    "half floats, uneven stride": (
        lambda: end(stem(Pruned(half=True)).depthwise(3, 2).conv(16, 1, zeros=0.8)),
        "1 DEPTHWISE_CONV_2D",
    ),
    "5x5 of an odd image": (
        lambda: end(stem(Pruned(18)).depthwise(5, 2).conv(16, 1, zeros=0.8)),
        "1 DEPTHWISE_CONV_2D",
    ),
    "mean that keeps its dimensions": (
        lambda: stem(Pruned()).conv(16, 1, zeros=0.8).mean(keep=True).conv(8, 1).done(),
        "1 MEAN",
    ),
}
NOT: dict[str, tuple[Callable[[], Network], str]] = {
    "stem of an even image": (
        lambda: end(Pruned(16).conv(16, 3, 2).conv(16, 1, zeros=0.8)),
        "it pads 0 above, 1 below, 0 left, 1 right, where 1 on each side is needed",
    ),
    "four channels in": (lambda: end(stem(Pruned(16, 4)).conv(16, 1, zeros=0.8)), "4 channels in"),
    "no stem": (lambda: end(Pruned(16).conv(16, 1, zeros=0.8)), "comes in without a 3x3 convolution of stride 2"),
    "no mean": (lambda: stem(Pruned()).conv(16, 1, zeros=0.8).done(), "it does not end in a mean"),
    "another window": (lambda: end(stem(Pruned()).conv(16, 3).conv(16, 1, zeros=0.8)), "a window of 3 with stride 1"),
    "5x5 of an even image": (lambda: end(stem(Pruned()).depthwise(5, 2).conv(16, 1, zeros=0.8)), "it pads 1 above"),
    "1x1 with a stride": (lambda: end(stem(Pruned()).conv(16, 1, 2, zeros=0.8)), "1x1 with a stride"),
    "read from the middle": (lambda: squeezed(stem(Pruned())), "`FLOOR`, reads from the middle"),
}


@pytest.mark.parametrize(("make", "told"), FORMED.values(), ids=FORMED)
def test_pruned_weights_are_stored_without_their_zeros(make: Callable[[], Network], told: str) -> None:
    before = make()

    after, (line,) = legal(before)

    assert told in line
    assert sparse(after) == 1
    assert [cluster.worth for cluster in find(after.main).clusters] == [True]


@pytest.mark.parametrize("make", [row[0] for row in FORMED.values()], ids=FORMED)
def test_outputs_stay(make: Callable[[], Network]) -> None:
    before = make()
    after = read(write(legal(before)[0]))
    inputs = samples(before, 4)

    for old, new in zip(run(before, inputs), run(after, inputs), strict=True):
        np.testing.assert_allclose(new, old, rtol=0, atol=FLOAT_SHARE * np.abs(old).max())
    assert outer(after) == outer(before)


@pytest.mark.parametrize(("make", "why"), NOT.values(), ids=NOT)
def test_what_xnnpack_would_not_compute_sparsely_stays_dense(make: Callable[[], Network], why: str) -> None:
    before = make()

    after, lines = legal(before)

    assert (sparse(after), lines) == (0, [])
    assert any(
        why in obstacle for obstacle in find(sparse_weights.in_form(apply(before).network, target()).main).obstacles
    )


@pytest.mark.parametrize(("zeros", "stored"), [(0.0, 0), (0.6, 0), (0.8, 1)])
def test_it_takes_seventy_percent_of_zeros(zeros: float, stored: int) -> None:
    after, lines = legal(pruned(zeros))

    assert (sparse(after), len(lines)) == (stored, stored)


@pytest.mark.parametrize(
    "name", ["RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LOGISTIC", "TANH", "ELU", "ABS", "NEG", "ADD", "MUL"]
)
def test_operators_with_a_channels_first_form_may_be_inside(name: str) -> None:
    net = stem(Pruned())
    before = net.x
    net.conv(16, 1, zeros=0.8)
    inputs = [net.x, before] if name in ("ADD", "MUL") else [net.x]
    net.put(name, inputs, net.shape)

    assert sparse(legal(end(net))[0]) == 1


def test_weights_that_take_more_bytes_without_their_zeros_stay() -> None:
    net = stem(Pruned()).conv(64, 1, zeros=0.95).conv(2, 1, zeros=0.1)

    after, _ = legal(end(net))

    assert [tensor.shape[0] for tensor in after.main.tensors if tensor.is_sparse] == [64]


def test_integers_stay_as_they_are() -> None:
    net = Pruned()
    x = net.input("q", (1, 8, 8, 16), "int8", 0.1)
    weights = net.constant("qw", np.zeros((16, 1, 1, 16), np.int8), scale=0.1)
    bias = net.constant("qb", np.zeros(16, np.int32), scale=0.01)
    y = net.op("CONV_2D", [x, weights, bias], [net.tensor("qy", (1, 8, 8, 16), "int8", 0.1)], padding="SAME")
    network = net.output(y).build()

    assert sparse_weights.run(network, target())[0] is network


def test_the_file_gets_smaller() -> None:
    net = stem(Pruned()).conv(64, 1, zeros=0.8).conv(64, 1, zeros=0.8)
    before = end(net)

    assert len(write(legal(before)[0])) < 0.7 * len(write(before))


def test_every_operator_still_runs_on_xnnpack() -> None:
    after, _ = legal(pruned())

    verdict = check(after, load("android-cpu"), "")

    assert "DENSIFY" in labels(after)
    assert (verdict.operators_on_cpu, verdict.partitions) == (0, 1)


def test_a_second_time_finds_nothing() -> None:
    after, _ = legal(pruned())

    assert sparse_weights.run(after, target()) == (after, [])


def test_the_values_come_back() -> None:
    before = pruned()
    after = read(write(legal(before)[0]))
    (stored,) = (tensor for tensor in after.main.tensors if tensor.is_sparse)
    name = stored.name.removesuffix("_sparse")
    (dense,) = (tensor for tensor in before.main.tensors if tensor.name == name)

    expected: Any = dense.array
    assert np.array_equal(values_of(stored), expected)


def test_the_dense_twin_computes_the_same() -> None:
    after, _ = legal(pruned())
    twin = dense_twin(after)
    inputs = samples(after, 2)

    assert "DENSIFY" not in labels(twin)
    assert np.array_equal(run(twin, inputs)[0], run(after, inputs)[0])
