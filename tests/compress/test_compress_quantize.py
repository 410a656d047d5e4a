"""Quantization-aware training: the integers that were trained are the integers that run."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
from quantized_networks import context, floats, integers

from edgecompile.compress.context import Samples
from edgecompile.compress.device import Agreement, agreement, diagnose
from edgecompile.compress.passes.quantize import Quantize, computing_in_float
from edgecompile.compress.sites import matched, sites_of, weights_of
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.errors import EdgecompileError
from edgecompile.core.progress import Silent
from edgecompile.ir.build import NetworkBuilder

pytestmark = pytest.mark.tensorflow


@dataclass(frozen=True)
class Listener(Silent):
    """Hears what a bar would show."""

    heard: list[str]

    def update(self, done: int, total: int | None, what: str = "") -> None:
        self.heard.append(what)


def test_training_changes_integers_and_what_runs_is_what_was_trained() -> None:
    # Without validation samples the last state counts, not the best.
    given = context(validated=False)
    before = integers(given)

    step = Quantize(epochs=2, learning_rate=1e-2, batch_size=32)
    after = step.run(before, given)

    changed = [
        (weights_of(before.network, one) != weights_of(after.network, two)).any()
        for one, two in zip(sites_of(before.network), sites_of(after.network), strict=True)
    ]
    assert any(changed)
    assert step.ensures(before, after) == ()
    assert computing_in_float(after.network) == ()
    assert given.calibration is not None
    found = agreement(after.network, given.calibration)
    assert [one.resolver for one in found] == ["default", "reference"]
    assert all(one.each >= 0.99 and one.whole >= 0.99 for one in found)
    (figure,) = [d for d in given.diagnostics if d.code == "EC342"]
    assert figure.severity.value == "note"


def test_zeros_and_shared_values_survive_training() -> None:
    given = context()
    network = floats()
    first, deep = sites_of(network)[:2]
    rng = np.random.default_rng(0)
    zeros = rng.random(network.main.tensors[first.weights].shape) < 0.5
    codes = rng.choice(np.array([-90, -20, 0, 30, 127], np.int8), network.main.tensors[deep.weights].shape)
    held = {
        first.key: Held(zeros=zeros),
        deep.key: Held(codes=codes, scales=np.full(6, 0.01, np.float32), centroids=5),
    }

    step = Quantize(epochs=2, learning_rate=1e-2, batch_size=32)
    before = integers(given, Subject(network=network, held=held, teacher=network))
    after = step.run(before, given)

    places = matched(network, after.network)
    assert not weights_of(after.network, places[first.key])[zeros].any()
    trained = weights_of(after.network, places[deep.key])
    assert len(np.unique(trained)) <= 5
    assert (after.held[deep.key].codes == trained).all()
    assert step.ensures(before, after) == ()


def test_epochs_are_told_out_of_those_that_were_asked_for() -> None:
    heard: list[str] = []
    given = replace(context(), progress=Listener(heard))

    Quantize(epochs=3, learning_rate=1e-2, batch_size=32).run(integers(given), given)

    told = list(dict.fromkeys(re.findall(r"epoch \d+ of \d+", " ".join(heard))))
    assert told == ["epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3"]


def test_a_rate_that_only_does_harm_is_told_once_for_both_halves() -> None:
    given = replace(context(), step="quantize")
    before = integers(given)

    Quantize(epochs=4, learning_rate=1e30, batch_size=32).run(before, given)

    (told,) = [one for one in given.diagnostics if one.code in ("EC311", "EC336")]
    assert "learning rate 1e+30" in " ".join(told.notes)
    assert told.help[0] == "lower it: `learning_rate = 0.0002`"


@pytest.mark.parametrize("epochs", [0, 1])
def test_four_bits_leave_integers_from_minus_seven_to_seven_in_every_layer(epochs: int) -> None:
    given = context()

    after = Quantize(bits=4, epochs=epochs, batch_size=32).run(integers(given), given)

    for site in sites_of(after.network):
        codes = weights_of(after.network, site)
        assert np.abs(codes).max() <= 7 and len(np.unique(codes)) > 3
    assert Quantize(bits=4).makes == {"few bits"}


def test_no_epochs_leave_the_integers_alone() -> None:
    given = context()
    before = integers(given)

    after = Quantize(epochs=0).run(before, given)

    assert [weights_of(after.network, s).tobytes() for s in sites_of(after.network)] == [
        weights_of(before.network, s).tobytes() for s in sites_of(before.network)
    ]


def test_an_operator_that_became_float_breaks_the_promise() -> None:
    given = context()
    before = integers(given)

    broken = Quantize().ensures(before, replace(before, network=floats()))

    assert {diagnostic.code for diagnostic in broken} >= {"EC343"}


def test_few_bits_need_the_float_model() -> None:
    given = context()

    with pytest.raises(EdgecompileError, match="EC340"):
        Quantize(bits=4).run(replace(integers(given), origin=None), given)


@pytest.mark.parametrize("share, severity", [(0.995, "note"), (0.98, "warning")])
def test_the_figure_of_agreement_is_a_warning_where_it_is_low(share: float, severity: str) -> None:
    shown = {"by": "x", "resolver": "default", "twice": False, "each": 1.0, "worst": ("ADD", 1.0), "samples": 8}

    told = diagnose([Agreement(whole=1.0, **shown), Agreement(whole=share, **shown)])

    assert (told.code, told.severity.value) == ("EC342", severity)


def test_halves_of_an_average_round_as_the_device_rounds_them() -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 2, 2, 8), "int8", scale=0.5, zero_point=-10)
    y = build.tensor("y", (1, 1, 1, 8), "int8", scale=0.5, zero_point=-10)
    build.op("AVERAGE_POOL_2D", [x], [y], filter_width=2, filter_height=2, padding="VALID")
    integers = np.random.default_rng(0).integers(-128, 128, (200, 2, 2, 8))

    found, *_ = agreement(build.output(y).build(), Samples(x=(((integers + 10) * 0.5).astype(np.float32),)), within=0.0)

    # One average in eight is a half; kernels of other runtimes than LiteRT's may differ in a few.
    assert found.resolver == "default" and found.whole > 0.99
