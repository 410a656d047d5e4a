"""Sums of a simulation are the kernels' whole numbers, rounded once."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.compress import device
from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.one_rounding import Sums, sums_of, to_steps
from edgecompile.compress.sites import sites_of
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.libs import litert
from edgecompile.libs.keras import tensorflow

pytestmark = pytest.mark.tensorflow
INPUT, OUTPUT = 0.05, 0.4


def _network(weight_scales: tuple[float, ...], output: str = "int8", layers: int = 1) -> Network:
    build, rng = NetworkBuilder(), np.random.default_rng(0)
    count = len(weight_scales)
    x = build.input("x", (1, 12, 12, count), "int8", scale=INPUT)
    for layer in range(layers):
        codes = rng.integers(-127, 128, (count, 3, 3, count)).astype(np.int8)
        w = build.constant(f"w{layer}", codes, scale=weight_scales)
        b = build.constant(f"b{layer}", np.zeros(count, np.int32), scale=tuple(INPUT * s for s in weight_scales))
        y = build.tensor(f"y{layer}", (1, 12, 12, count), output, scale=INPUT if layers > 1 else OUTPUT)
        build.op("CONV_2D", [x, w, b], [y], padding="SAME")
        x = y
    return build.output(x).build()


def _sums(network: Network) -> dict[int, Sums]:
    return sums_of(network.main, sites_of(network), range(len(network.main.operators)))


def test_noise_of_float32_moves_no_sum_across_a_half() -> None:
    tf = tensorflow()
    (sums,) = _sums(_network((0.0125,))).values()
    # Halves of the output's step lie at every 320 sums; float32 sums of real numbers are a little off.
    whole = np.arange(-30_080, 30_080, 160, dtype=np.int64)
    for noise in (-3e-7, 0.0, 3e-7):
        values = (whole * np.float64(sums.units[0]) * (1 + noise)).astype(np.float32)
        found = np.rint(to_steps(tf, tf.constant(values[:, None]), sums).numpy()[:, 0] / sums.step)
        assert np.array_equal(found, np.rint(whole.astype(np.float32) * sums.factors[0]))


def test_long_sums_are_exact() -> None:
    if not any(one.available and one.name == "ai-edge-litert" for one in litert.runtimes()):
        pytest.skip("ai-edge-litert is not installed: it is whose rounding is simulated")
    build, rng = NetworkBuilder(), np.random.default_rng(0)
    x = build.input("x", (1, 6, 6, 2048), "int8", scale=INPUT)
    scales = tuple(rng.uniform(0.0001, 0.0003, 64))
    w = build.constant("w", rng.integers(20, 128, (64, 1, 1, 2048)).astype(np.int8), scale=scales)
    b = build.constant("b", np.zeros(64, np.int32), scale=tuple(INPUT * s for s in scales))
    y = build.tensor("y", (1, 6, 6, 64), "int8", scale=0.2)
    build.op("CONV_2D", [x, w, b], [y], padding="VALID", fused_activation_function="RELU6")

    found = device.agreement(build.output(y).build(), Samples(x=(rng.normal(size=(40, 6, 6, 2048)),)), within=0.0)

    assert next(one for one in found if one.resolver == "default").whole == 1.0


def test_gradients_pass_as_if_nothing_was_rounded() -> None:
    tf = tensorflow()
    (sums,) = _sums(_network((0.0125,))).values()
    value = tf.Variable([[0.3], [-0.3]])

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(to_steps(tf, value, sums) * [[1.0], [2.0]])

    assert tape.gradient(total, value).numpy().tolist() == [[1.0], [2.0]]


def test_sixteen_bits_and_weights_without_a_scale_are_left_as_they_are() -> None:
    assert not _sums(_network((0.01,), "int16"))
    assert not _sums(_network((0.01, 0.0)))
    assert _sums(_network((0.01, 0.02)))[0].units.shape == (2,)


def test_no_integer_of_a_deep_network_differs() -> None:
    if not any(one.available and one.name == "ai-edge-litert" for one in litert.runtimes()):
        pytest.skip("ai-edge-litert is not installed: it is whose rounding is simulated")
    scales = tuple(np.random.default_rng(1).uniform(0.0008, 0.0014, 24))
    network = _network(scales, layers=8)
    x = np.random.default_rng(2).normal(size=(40, 12, 12, 24)).astype(np.float32)

    found = device.agreement(network, Samples(x=(x,)), within=0.0)

    # With sums of real numbers 0.99995 of the first layers' and 0.99 of the last one's are the same.
    assert next(one for one in found if one.resolver == "default").whole == 1.0
