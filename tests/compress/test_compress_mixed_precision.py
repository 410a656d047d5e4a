"""Which operators integers hurt, and leaving those in float."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from quantized_networks import context, floats, integers

from edgecompile.compress.context import Samples, Score
from edgecompile.compress.passes.mixed_precision import MixedPrecision
from edgecompile.compress.passes.quantize import computing_in_float
from edgecompile.compress.passes.sensitivity import Sensitivity
from edgecompile.compress.record import Record
from edgecompile.compress.run import Named
from edgecompile.compress.run import run as run_steps
from edgecompile.compress.sensitivity import sensitivities
from edgecompile.compress.simulate.run import run
from edgecompile.compress.sites import sites_of, weights_of
from edgecompile.compress.subject import Held, Subject
from edgecompile.core.errors import EdgecompileError

pytestmark = pytest.mark.tensorflow

NEARNESS = Score(
    name="error",
    of=lambda outputs, some: float(np.square(outputs[0] - run(floats(), some.x)[0][0]).mean()),
    higher_is_better=False,
)


def one_bad_layer() -> Subject:
    """The weights of the 1x1 convolution have two steps only."""
    network = floats()
    site = next(site for site in sites_of(network) if site.key == "point")
    weights = weights_of(network, site)
    held = {
        "point": Held(codes=np.sign(weights).astype(np.int8), scales=np.full(4, np.abs(weights).mean(), np.float32))
    }
    return Subject(network=network, held=held, teacher=network)


def test_the_layer_with_coarse_weights_is_the_most_sensitive() -> None:
    given = context()
    subject = integers(given, one_bad_layer())

    found = sensitivities(subject, given)

    assert {one.name for one in found} == {"first", "deep", "point", "mean", "y"}
    assert found[0].name == "point" and found[0].output_error > 10 * found[1].output_error
    assert all(one.drop is not None for one in found)
    assert found[0].to_dict()["operator"] == "CONV_2D"


def test_without_labels_the_error_of_outputs_ranks() -> None:
    given = replace(context(validated=False))

    found = sensitivities(integers(given, one_bad_layer()), given)

    assert found[0].name == "point" and found[0].drop is None


def test_samples_may_be_stored_as_uint8() -> None:
    given = context()
    subject = integers(given, one_bad_layer())
    assert given.validation is not None
    pixels = tuple(np.clip(x * 50 + 100, 0, 255).astype(np.uint8) for x in given.validation.x)
    stored = replace(given, validation=replace(given.validation, x=pixels))
    real = replace(given, validation=replace(given.validation, x=tuple(x.astype(np.float32) for x in pixels)))

    assert sensitivities(subject, stored) == sensitivities(subject, real)


def test_the_pass_puts_what_it_measured_into_its_steps_record_and_changes_nothing() -> None:
    given = context()
    subject = integers(given, one_bad_layer())
    told: list[Record] = []

    after = run_steps(subject, [Named(title="sensitivity", one=Sensitivity(most=2))], given, {}, told.append)

    assert after is subject
    assert [one.name for one in told[0].sensitivity][:1] == ["point"] and len(told[0].sensitivity) == 2


def test_only_what_it_takes_stays_in_float() -> None:
    given = replace(context(), score=NEARNESS, validation=Samples(x=context().validation.x, y=(np.zeros(64),)))  # type: ignore[union-attr]
    subject = integers(given, replace(one_bad_layer(), held={}))
    subject = replace(subject, network=integers(given, one_bad_layer()).network)

    step = MixedPrecision(max_drop=0.01)
    after = step.run(subject, given)

    assert [name for _, name in computing_in_float(after.network)] == ["point"]
    assert step.ensures(subject, after) == ()
    (told,) = [d for d in given.diagnostics if d.code == "EC347"]
    assert told.severity.value == "note"


def test_a_drop_that_is_small_enough_leaves_everything_integer() -> None:
    given = context()
    subject = integers(given)

    after = MixedPrecision(max_drop=1.0).run(subject, given)

    assert after.network is subject.network


@pytest.mark.parametrize("lacking, code", [("quantize_partly", "EC346"), ("validation", "EC347"), ("origin", "EC340")])
def test_what_it_needs_is_asked_for(lacking: str, code: str) -> None:
    given = context()
    subject = integers(given)
    subject = replace(subject, origin=None) if lacking == "origin" else subject
    given = given if lacking == "origin" else replace(given, **{lacking: None})

    with pytest.raises(EdgecompileError, match=code):
        MixedPrecision().run(subject, given)


def test_a_drop_that_cannot_be_met_is_refused_with_what_was_found() -> None:
    given = replace(context(), score=NEARNESS, validation=Samples(x=context().validation.x, y=(np.zeros(64),)))  # type: ignore[union-attr]

    with pytest.raises(EdgecompileError, match="EC347") as caught:
        MixedPrecision(max_drop=0.0, most=1).run(integers(given), given)

    assert any("found" in fact for fact in caught.value.diagnostics[0].notes)
