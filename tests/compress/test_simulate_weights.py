"""What becomes of weights: codes, scales, zeros and codebooks, trained and written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.sites import bias_of, sites_of, weights_of
from edgecompile.compress.subject import Held
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write
from edgecompile.libs.keras import tensorflow, tf_keras

pytestmark = pytest.mark.tensorflow
Array = np.ndarray[Any, Any]
_CHANNELS = 5


def _float(bias: bool = True) -> Network:
    random = np.random.default_rng(1)
    build = NetworkBuilder()
    x = build.input("x", (1, 6, 6, 3))
    w = build.constant("w", random.normal(size=(_CHANNELS, 3, 3, 3)).astype(np.float32))
    b = build.constant("b", random.normal(size=_CHANNELS).astype(np.float32)) if bias else -1
    y = build.tensor("y", (1, 6, 6, _CHANNELS))
    build.op("CONV_2D", [x, w, b], [y], padding="SAME", fused_activation_function="RELU")
    return build.output(y).build()


def _integer(dtype: str = "int8") -> Network:
    random = np.random.default_rng(2)
    build = NetworkBuilder()
    scales = np.array([0.01, 0.02, 0.03, 0.004, 0.05], np.float32)
    codes = random.integers(-126, 127, (_CHANNELS, 3, 3, 3)).astype(np.int8)
    codes[:, 0, 0, 0] = 127
    codes[3] = 0
    x = build.input("x", (1, 6, 6, 3), dtype, scale=0.02, zero_point=3 if dtype == "int8" else 0)
    w = build.constant("w", codes, scale=scales)
    kind = np.int32 if dtype == "int8" else np.int64
    b = build.constant("b", random.integers(-500, 500, _CHANNELS).astype(kind), scale=scales * np.float32(0.02))
    y = build.tensor("y", (1, 6, 6, _CHANNELS), dtype, scale=0.1, zero_point=-128 if dtype == "int8" else 0)
    build.op("CONV_2D", [x, w, b], [y], padding="SAME", fused_activation_function="RELU")
    return build.output(y).build()


def _key(network: Network) -> str:
    return sites_of(network)[0].key


def _shared(zeros: bool, bits: int = 8) -> dict[str, Held]:
    """Five codes, zero among them, with a scale for each channel."""
    random = np.random.default_rng(5)
    few = np.array([-100, -31, 0, 40, 127] if bits == 8 else [-7, -3, 0, 2, 6], np.int8)
    codes = random.choice(few, (_CHANNELS, 3, 3, 3))
    held = Held(
        codes=codes,
        scales=random.uniform(0.01, 0.02, _CHANNELS).astype(np.float32),
        zeros=codes == 0 if zeros else None,
        centroids=5 if bits == 8 else 0,
        bits=bits,
    )
    return {_key(_float()): held}


def _train(simulation: Simulation, steps: int = 12) -> list[float]:
    tf = tensorflow()
    random = np.random.default_rng(9)
    x = tf.constant(random.normal(size=(16, 6, 6, 3)).astype(np.float32))
    wanted = tf.constant(random.normal(size=(16, 6, 6, _CHANNELS)).astype(np.float32))
    optimizer = tf_keras().optimizers.Adam(0.02)
    losses = []
    for _ in range(steps):
        with tf.GradientTape() as tape:
            (y,), _watched = simulation([x], training=True)
            loss = tf.reduce_mean(tf.square(y - wanted))
        variables = simulation.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        losses.append(float(loss))
    return losses


@pytest.mark.parametrize("network", [_float(), _float(bias=False), _integer(), _integer("int16")])
def test_what_was_not_trained_comes_back_bit_for_bit(network: Network) -> None:
    back = Simulation(network).network()

    assert write(back) == write(network)


@pytest.mark.parametrize("network", [_float(), _integer(), _integer("int16")])
def test_training_lowers_the_loss_and_changes_the_constants(network: Network) -> None:
    simulation = Simulation(network)

    losses = _train(simulation)
    site = sites_of(network)[0]
    back = simulation.network()

    assert losses[-1] < losses[0]
    assert not np.array_equal(weights_of(back, site), weights_of(network, site))
    assert not np.array_equal(bias_of(back, site), bias_of(network, site))


def _held_cases() -> Mapping[str, tuple[Network, dict[str, Held]]]:
    random = np.random.default_rng(4)
    zeros = random.uniform(size=(_CHANNELS, 3, 3, 3)) < 0.5
    return {
        "zeros, float": (_float(), {_key(_float()): Held(zeros=zeros)}),
        "zeros, integer": (_integer(), {_key(_integer()): Held(zeros=zeros)}),
        "shared, float": (_float(), _shared(zeros=False)),
        "shared and zeros, float": (_float(), _shared(zeros=True)),
        "shared and zeros, integer": (_integer(), _shared(zeros=True)),
        "four bits, float": (_float(), _shared(zeros=False, bits=4)),
        "four bits, integer": (_integer(), _shared(zeros=True, bits=4)),
    }


@pytest.mark.parametrize("case", _held_cases())
def test_training_keeps_what_is_held(case: str) -> None:
    network, held = _held_cases()[case]
    simulation = Simulation(network, held=held)

    losses = _train(simulation)
    ((key, after),) = simulation.held().items()
    back = simulation.network()
    stored = weights_of(back, sites_of(back)[0])
    before = held[key]

    assert losses[-1] < losses[0]
    if before.zeros is not None:
        assert not stored[before.zeros].any()
    if before.codes is not None:
        assert after.codes is not None and after.scales is not None
        assert after.codes.min() >= -(2 ** (before.bits - 1)) + 1
        assert not before.centroids or len(np.unique(after.codes)) <= before.centroids
        assert not np.array_equal(after.codes, before.codes)
        exact = after.scales[:, None, None, None] * after.codes
        np.testing.assert_array_equal(stored, exact if stored.dtype == np.float32 else after.codes)


@pytest.mark.parametrize("case", _held_cases())
def test_what_is_computed_is_what_is_written(case: str) -> None:
    network, held = _held_cases()[case]
    simulation = Simulation(network, held=held)
    _train(simulation, steps=3)
    x = np.random.default_rng(8).normal(size=(4, 6, 6, 3)).astype(np.float32)

    (trained,), _ = simulation([x])
    (written,), _ = Simulation(simulation.network())([x])

    # The bias alone is rounded on writing: half a step of input scale times weight scale.
    np.testing.assert_allclose(trained, written, atol=1e-5 if network.main.tensors[0].dtype == "float32" else 0.1)
    assert np.mean(np.abs(trained - written) > 1e-4) < 0.02


def test_scales_follow_the_largest_weight_of_their_channel() -> None:
    network = _integer()
    simulation = Simulation(network)
    key = _key(network)
    before = network.main.tensors[1].quantization

    simulation.weights[key].assign(simulation.weights[key] * 2.0)
    after = simulation.network().main.tensors[1]

    assert before is not None and after.quantization is not None
    ratios = np.array(after.quantization.scales) / np.array(before.scales)
    np.testing.assert_allclose(ratios, [2, 2, 2, 1, 2], rtol=1e-6)
    np.testing.assert_array_equal(after.array, network.main.tensors[1].array)


def test_biases_that_share_storage_part_when_they_are_trained() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 4))
    zero = build.constant("zero", np.zeros(4, np.float32))
    first = build.op(
        "FULLY_CONNECTED", [x, build.constant("a", np.eye(4, dtype=np.float32)), zero], [build.tensor("p", (1, 4))]
    )
    last = build.op(
        "FULLY_CONNECTED", [first, build.constant("b", np.eye(4, dtype=np.float32)), zero], [build.tensor("q", (1, 4))]
    )
    simulation = Simulation(build.output(last).build())

    simulation.biases["p"].assign([1, 1, 1, 1])
    back = simulation.network()
    one, other = sites_of(back)

    np.testing.assert_array_equal(bias_of(back, one), [1, 1, 1, 1])
    np.testing.assert_array_equal(bias_of(back, other), [0, 0, 0, 0])


def test_zeros_may_grow_under_training() -> None:
    simulation = Simulation(_float())
    key = _key(_float())
    tf = tensorflow()
    weights = tf.function(lambda: simulation.effective(key), autograph=False)
    assert np.count_nonzero(weights()) == weights().numpy().size

    zeros = np.zeros((_CHANNELS, 3, 3, 3), bool)
    zeros[0] = True
    simulation.set_zeros(key, zeros)

    assert not weights()[0].numpy().any()
    assert not weights_of(simulation.network(), sites_of(_float())[0])[0].any()
    assert simulation.held()[key].zeros is not None


def test_a_primed_batch_norm_changes_nothing_and_is_folded_as_trained() -> None:
    network = _float()
    x = np.random.default_rng(6).normal(size=(32, 6, 6, 3)).astype(np.float32)
    (plain,), _ = Simulation(network)([x])

    simulation = Simulation(network, normalize=True)
    simulation.prime([x])
    (primed,), _ = simulation([x])
    (by_batch,), _ = simulation([x], training=True)
    losses = _train(simulation)
    (trained,), _ = simulation([x])
    (folded,), _ = Simulation(simulation.network())([x])

    # Sums in float32 in another order.
    np.testing.assert_allclose(primed, plain, atol=1e-4)
    np.testing.assert_allclose(by_batch, plain, atol=1e-4)
    np.testing.assert_allclose(folded, trained, atol=1e-4)
    assert losses[-1] < losses[0]


def test_a_folded_batch_norm_keeps_codes_and_zeros() -> None:
    held = _shared(zeros=True)
    simulation = Simulation(_float(), held=held, normalize=True)
    simulation.prime([np.random.default_rng(6).normal(size=(32, 6, 6, 3)).astype(np.float32)])

    _train(simulation)
    ((key, after),) = simulation.held().items()
    stored = weights_of(simulation.network(), sites_of(_float())[0])

    assert after.codes is not None and after.scales is not None
    assert len(np.unique(after.codes)) <= 5
    assert not np.array_equal(after.scales, held[key].scales)
    np.testing.assert_array_equal(stored, after.scales[:, None, None, None] * after.codes)


def test_the_same_training_gives_the_same_bytes() -> None:
    one, other = Simulation(_integer()), Simulation(_integer())

    _train(one)
    _train(other)

    assert write(one.network()) == write(other.network())


def test_float_weights_can_be_given_to_integer_networks() -> None:
    network = _integer()
    key = _key(network)
    exact = Simulation(network).weights[key].numpy()
    # Within half a step of the integers, as the weights were before they were rounded.
    near = exact + 0.4 * np.float32(0.004) * np.sign(exact)

    simulation = Simulation(network, shadows={key: near})

    np.testing.assert_array_equal(simulation.weights[key].numpy(), near)
    np.testing.assert_array_equal(simulation.network().main.tensors[1].array, network.main.tensors[1].array)


def test_a_layer_used_twice_keeps_a_bias_for_each_input_scale() -> None:
    build = NetworkBuilder()
    scale = np.array([0.01, 0.02], np.float32)
    x = build.input("x", (1, 2), "int8", scale=0.05)
    codes = np.array([[127, 3], [-127, 90]], np.int8)
    for name, source, step in (("p", x, 0.05), ("q", 3, 0.3)):
        w = build.constant(f"w{name}", codes, scale=scale) if name == "p" else 1
        b = build.constant(
            f"b{name}", np.rint([0.7 / step, -3.1 / step]).astype(np.int32), scale=scale * np.float32(step)
        )
        y = build.tensor(name, (1, 2), "int8", scale=0.3)
        build.op("FULLY_CONNECTED", [source, w, b], [y])
    network = build.output(y).build()
    simulation = Simulation(network)
    assert write(simulation.network()) == write(network)

    simulation.biases["p"].assign([1.5, -2.0])
    main = simulation.network().main

    for operator, step in zip(main.operators, (0.05, 0.3), strict=True):
        bias = main.tensors[operator.inputs[2]]
        np.testing.assert_array_equal(bias.array, np.rint(np.array([1.5, -2.0]) / (scale * np.float32(step))))
