"""What can be done for a quantized network without training: equalization, bias correction, adaptive rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from quantized_networks import context, floats, integers

from edgecompile.compress.contract import Pass
from edgecompile.compress.integers import real_weights
from edgecompile.compress.passes.adaround import Adaround
from edgecompile.compress.passes.bias_correct import BiasCorrect
from edgecompile.compress.passes.equalize import Equalize
from edgecompile.compress.simulate.run import run
from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.recipe import Scheme
from edgecompile.ir.build import NetworkBuilder

pytestmark = pytest.mark.tensorflow


def output_error(subject: Subject, seed: int = 7) -> tuple[float, float]:
    """Mean error and mean squared error of outputs against the float network, on samples no pass has seen."""
    x = np.random.default_rng(seed).normal(size=(64, 8, 8, 3)).astype(np.float32)
    (mine,), _ = run(subject.network, [x])
    (wanted,), _ = run(floats(), [x])
    return float(np.abs((mine - wanted).mean(axis=0)).mean()), float(np.square(mine - wanted).mean())


def coarse(subject: Subject, scale: float) -> Subject:
    """Integers with large steps, so that rounding matters more than activations do."""
    given = context()
    assert subject.origin is not None
    held = {}
    for site in sites_of(subject.origin.network):
        weights = weights_of(subject.origin.network, site)
        codes = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
        held[site.key] = Held(codes=codes, scales=np.full(weights.shape[site.axis or 0], scale, np.float32))
    return integers(given, replace(subject.origin, held=held))


def test_equalization_changes_weights_and_not_one_bit_of_the_outputs() -> None:
    network = floats()

    changed = Equalize().run(Subject(network=network), context(validated=False)).network

    x = np.random.default_rng(0).normal(size=(16, 8, 8, 3)).astype(np.float32)
    assert any(
        (weights_of(network, one) != weights_of(changed, two)).any()
        for one, two in zip(sites_of(network), sites_of(changed), strict=True)
    )
    assert (run(network, [x])[0][0] == run(changed, [x])[0][0]).all()


def test_equalization_evens_the_ranges_out() -> None:
    network = floats()

    changed = Equalize().run(Subject(network=network), context(validated=False)).network

    def spread_of(n: object) -> float:
        site = sites_of(network)[1]
        peaks = np.abs(weights_of(n, site)).max(axis=(0, 1, 2))  # type: ignore[arg-type]
        return float(peaks.max() / peaks.min())

    assert spread_of(changed) < spread_of(network) / 2


def test_equalization_leaves_bound_weights_alone() -> None:
    network = floats()
    held = {
        site.key: Held(codes=np.ones(weights_of(network, site).shape, np.int8), scales=np.ones(1, np.float32))
        for site in sites_of(network)
    }

    with pytest.raises(EdgecompileError, match="EC344"):
        Equalize().run(Subject(network=network, held=held), context())


def test_equalization_finds_nothing_behind_an_activation_that_saturates() -> None:
    network = floats(activation="RELU6")
    keys = [site.key for site in sites_of(network)]

    with pytest.raises(EdgecompileError, match="EC344"):
        Equalize().run(Subject(network=network), context())
    assert len(keys) == 4


def test_a_choice_on_validation_samples_is_told() -> None:
    given = context()

    Equalize().run(Subject(network=floats()), given)

    assert [diagnostic.code for diagnostic in given.diagnostics] == ["EC348"]


def test_bias_correction_brings_the_mean_of_outputs_nearer() -> None:
    given = context(validated=False)
    before = coarse(integers(given), 0.25)

    after = BiasCorrect().run(before, given)

    assert output_error(after)[0] < 0.5 * output_error(before)[0]
    assert all(
        (weights_of(before.network, one) == weights_of(after.network, two)).all()
        for one, two in zip(sites_of(before.network), sites_of(after.network), strict=True)
    )


def test_adaptive_rounding_brings_outputs_nearer_than_rounding_to_nearest() -> None:
    given = context(validated=False)
    before = coarse(integers(given), 0.25)
    corrected = BiasCorrect().run(before, given)

    after = Adaround(iterations=200).run(before, given)

    assert output_error(after)[1] < output_error(corrected)[1] < output_error(before)[1]
    for one, two in zip(sites_of(before.network), sites_of(after.network), strict=True):
        assert weights_of(after.network, two).shape == weights_of(before.network, one).shape
        assert before.held and (after.held[two.key].codes == weights_of(after.network, two)).all()


def test_adaptive_rounding_is_the_same_every_time_and_keeps_zeros() -> None:
    given = context(validated=False)
    before = coarse(integers(given), 0.25)
    site = sites_of(before.network)[0]
    zeros = weights_of(before.network, site) == 0
    before = before.with_held({site.key: replace(before.held[site.key], zeros=zeros)})

    step = Adaround(iterations=50)
    results = [step.run(before, given) for _ in range(2)]

    assert [real_weights(one.network, site).tobytes() for one in results].count(
        real_weights(results[0].network, site).tobytes()
    ) == 2
    assert not weights_of(results[0].network, site)[zeros].any()
    assert step.ensures(before, results[0]) == ()


def test_adaptive_rounding_leaves_shared_weights_alone_and_says_where_there_are_no_others() -> None:
    given = context(validated=False)
    before = coarse(integers(given), 0.25)
    shared = {key: replace(held, centroids=16) for key, held in before.held.items()}

    with pytest.raises(EdgecompileError, match="EC345"):
        Adaround().run(before.with_held(shared), given)


@pytest.mark.parametrize("step", [BiasCorrect(), Adaround()], ids=lambda step: type(step).__name__)
@pytest.mark.parametrize("lacking, code", [("origin", "EC340"), ("calibration", "EC341")])
def test_what_a_step_needs_is_asked_for(step: Pass, lacking: str, code: str) -> None:
    given = context()
    before = integers(given)
    if lacking == "origin":
        before = replace(before, origin=None)
    else:
        given = replace(given, calibration=None)

    with pytest.raises(EdgecompileError, match=code):
        step.run(before, given)


def test_int16_activations_can_be_corrected_too() -> None:
    given = context(validated=False, scheme=Scheme(numerics="int16x8", io_dtype="int16"))

    after = BiasCorrect().run(integers(given), given)

    assert {tensor.dtype for tensor in after.network.main.tensors if tensor.name == "first"} == {"int16"}


def test_a_single_layer_has_no_pair() -> None:
    build = NetworkBuilder()
    x, y = build.input("x", (1, 4)), build.tensor("y", (1, 3))
    build.op("FULLY_CONNECTED", [x, build.constant("w", np.ones((3, 4), np.float32)), -1], [y])

    with pytest.raises(EdgecompileError, match="EC344"):
        Equalize().run(Subject(network=build.output(y).build()), context())
