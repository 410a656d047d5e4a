"""Two roundings in float are those of the kernels' whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.compress import device
from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.quantizers import fake_quantize
from edgecompile.compress.simulate.two_roundings import grids, to_grid
from edgecompile.compress.sites import sites_of
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.kernels.rounding import TWICE, quantize_multiplier, scale
from edgecompile.libs import litert
from edgecompile.libs.keras import tensorflow

pytestmark = pytest.mark.tensorflow
INPUT, OUTPUT = 0.05, 0.4


def _network(weight_scales: tuple[float, ...], output: str = "int8") -> Network:
    build = NetworkBuilder()
    x = build.input("x", (1, 6, 6, 16), "int8", scale=INPUT, zero_point=-3)
    rng = np.random.default_rng(0)
    count = len(weight_scales)
    weights = build.constant("w", rng.integers(-127, 128, (count, 3, 3, 16)).astype(np.int8), scale=weight_scales)
    bias = build.constant("b", np.zeros(count, np.int32), scale=tuple(INPUT * s for s in weight_scales))
    y = build.tensor("y", (1, 6, 6, count), output, scale=OUTPUT, zero_point=5 if output == "int8" else 0)
    build.op("CONV_2D", [x, weights, bias], [y], padding="SAME")
    return build.output(y).build()


def _grid(network: Network) -> dict[int, np.ndarray]:  # type: ignore[type-arg]
    return grids(network.main, sites_of(network), range(len(network.main.operators)))


@pytest.mark.parametrize("weight_scale", [0.0025, 0.0123, 0.02, 0.1])
def test_every_sum_becomes_the_integer_that_the_kernels_make_of_it(weight_scale: float) -> None:
    tf = tensorflow()
    network = _network((weight_scale,))
    real = float(np.float32(INPUT)) * float(np.float32(weight_scale)) / float(np.float32(OUTPUT))
    limit = int(120 / real)
    sums = np.unique(np.linspace(-limit, limit, 400_001).astype(np.int64))
    multiplier, shift = quantize_multiplier(real)
    wanted = scale(sums, multiplier, shift, TWICE)
    output = network.main.tensors[network.main.outputs[0]]

    values = tf.constant((sums * (real * float(np.float32(OUTPUT)))).astype(np.float32)[:, None])
    inside = np.abs(wanted) < 118

    def wrong(moved: Any) -> int:
        found = np.rint(fake_quantize(tf, moved, output).numpy()[:, 0] / OUTPUT)
        assert np.abs(found[inside] - wanted[inside]).max() <= 1
        return int(np.count_nonzero(found[inside] != wanted[inside]))

    assert wrong(values) > 50
    # Float32 knows a sum of so many bits to about one, and so misses a half now and then.
    assert wrong(to_grid(tf, values, _grid(network)[0])) <= 2


def test_gradients_pass_as_if_nothing_was_rounded() -> None:
    tf = tensorflow()
    grid = np.array([0.125, 0.0], np.float32)
    value = tf.Variable([[0.3, -0.3]])

    with tf.GradientTape() as tape:
        moved = to_grid(tf, value, grid)
        total = tf.reduce_sum(moved * [[1.0, 2.0]])

    assert np.allclose(moved.numpy(), [[0.25 + 0.125 / 4, -0.3]])
    assert tape.gradient(total, value).numpy().tolist() == [[1.0, 2.0]]


def test_sixteen_bits_and_multipliers_of_one_and_more_are_rounded_once() -> None:
    assert not _grid(_network((0.01,), "int16"))
    assert not _grid(_network((30.0,)))
    assert [bool(place) for place in _grid(_network((0.01, 30.0)))[0]] == [True, False]


@pytest.mark.parametrize("resolver", ["default", "reference"])
def test_deep_networks_agree_end_to_end_with_both_kinds_of_kernels(resolver: str) -> None:
    if not any(one.available and one.name == "tflite-runtime" for one in litert.runtimes()):
        pytest.skip("tflite-runtime is not installed: no kernels here round twice")
    build, rng = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, 12, 12, 16), "int8", scale=0.03)
    for layer in range(8):
        weights = rng.integers(-127, 128, (16, 3, 3, 16)).astype(np.int8)
        scales = tuple(rng.uniform(0.0008, 0.0014, 16))
        w = build.constant(f"w{layer}", weights, scale=scales)
        b = build.constant(f"b{layer}", np.zeros(16, np.int32), scale=tuple(0.03 * s for s in scales))
        y = build.tensor(f"y{layer}", (1, 12, 12, 16), "int8", scale=0.03)
        build.op("CONV_2D", [x, w, b], [y], padding="SAME")
        x = y
    network = build.output(x).build()

    found = device.agreement(network, Samples(x=(rng.normal(size=(8, 12, 12, 16)).astype(np.float32),)))

    one = next(one for one in found if one.resolver == resolver)
    assert one.twice == (resolver == "reference")
    # Without the second rounding the last layers are up to several steps off: 0.94 as a whole.
    assert one.whole >= 0.999
