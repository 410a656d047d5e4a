"""Distance of the artifact's outputs from the float model's."""

from __future__ import annotations

import numpy as np
import pytest

from edgecompile.core.errors import RejectedError
from edgecompile.libs.affine import Port
from edgecompile.libs.litert import Outputs
from edgecompile.verify.agreement import agreement, compare

INT8 = Port(name="scores", shape=(1, 2), dtype="int8", scale=0.25, zero_point=0, signature=(1, 2))
FLOAT = Port(name="scores", shape=(1, 2), dtype="float32", signature=(1, 2))


def test_differences_are_told_in_steps_of_the_outputs_scale() -> None:
    found = agreement(np.array([[0.5, 1.0], [0.0, 0.25]]), np.array([[0.5, 0.5], [0.125, 0.25]]), INT8)

    assert (found.max_steps, found.mean_steps) == (2.0, 0.625)
    assert (found.max_difference, found.mean_difference) == (0.5, 0.15625)
    assert found.argmax_agreement == 0.5


def test_float_outputs_have_no_steps() -> None:
    found = agreement(np.array([[0.5, 1.0]]), np.array([[0.5, 0.75]]), FLOAT)

    assert (found.max_steps, found.mean_steps, found.max_difference) == (None, None, 0.25)
    assert found.to_dict()["argmax_agreement"] == 1.0


def test_one_score_has_no_argmax() -> None:
    assert agreement(np.zeros((3, 1)), np.zeros((3, 1)), FLOAT).argmax_agreement is None


def test_pixels_agree_each_for_itself() -> None:
    wanted = np.zeros((1, 2, 2, 3))
    found = wanted.copy()
    found[0, 0, 0, 1] = 1

    assert agreement(found, wanted, FLOAT).argmax_agreement == 0.75


WILD = {
    "equal": (lambda w: w, False),
    "a step off": (lambda w: w + 0.01, False),
    "unrelated": (lambda w: w[::-1], True),
    "constant": (lambda w: np.zeros_like(w), True),
    "negated": (lambda w: -w, True),
    "scaled up: the same answers": (lambda w: 3 * w, False),
}


@pytest.mark.parametrize(("change", "wanted"), WILD.values(), ids=WILD)
def test_only_what_rounding_cannot_explain_is_wild(change: object, wanted: bool) -> None:
    reference = np.random.default_rng(0).normal(size=(200, 10))

    assert agreement(change(reference), reference, FLOAT).is_wild is wanted  # type: ignore[operator]


@pytest.mark.parametrize(
    "reference",
    [[np.zeros((4, 2)), np.zeros((4, 2))], [np.zeros((4, 3))], [np.zeros((2, 4))], []],
    ids=["one more", "another size", "the same size in fewer samples", "none"],
)
def test_other_outputs_than_the_models_are_ec713(reference: list[np.ndarray]) -> None:
    outputs = Outputs(
        arrays=(np.zeros((4, 2), np.int8),), outputs=(INT8,), inputs=(), described="some interpreter", samples=4
    )

    with pytest.raises(RejectedError) as raised:
        compare(outputs, reference)

    assert raised.value.diagnostics[0].code == "EC713"
    assert "[[4, 2]] (scores)" in raised.value.diagnostics[0].notes[1]


def test_axes_of_size_one_make_no_difference() -> None:
    outputs = Outputs(arrays=(np.ones((4, 2), np.int8),), outputs=(INT8,), inputs=(), described="", samples=4)

    (found,) = compare(outputs, [np.full((4, 1, 2), 0.25)])

    assert found.max_steps == 0.0
