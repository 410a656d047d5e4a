"""Batch norms measured again, kept only where that is better."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.compress.batch_norm import batch_norms, note, reestimate
from edgecompile.libs.keras import tf_keras

pytestmark = pytest.mark.tensorflow


def _model() -> Any:
    """Two batch norms, one of them in a nested model, and a dropout; statistics as after no training at all."""
    keras = tf_keras()
    layers = keras.layers
    keras.utils.set_random_seed(0)
    inner_x = keras.Input((4,))
    inner = keras.Model(inner_x, layers.BatchNormalization()(layers.Dense(4)(inner_x)))
    x = keras.Input((3,))
    hidden = layers.BatchNormalization(epsilon=1e-6)(layers.Dense(4)(x))
    return keras.Model(x, layers.Dense(2)(inner(layers.Dropout(0.5)(hidden))))


def _samples(count: int = 1200) -> np.ndarray[Any, Any]:
    return (np.random.default_rng(0).normal(size=(count, 3)) * 3 + 2).astype(np.float32)


def _statistics(model: Any) -> list[np.ndarray[Any, Any]]:
    return [v.numpy() for layer in batch_norms(model) for v in (layer.moving_mean, layer.moving_variance)]


def test_statistics_are_those_of_the_samples_and_dropout_stays_off() -> None:
    model, x = _model(), _samples()

    found = reestimate(model, (x,), iter([0.0, 1.0]).__next__)

    assert found.kept and found.layers == 2
    given = np.asarray(model.layers[1](x))
    mean, variance = _statistics(model)[:2]
    # The mean of three batches' variances leaves out what lies between their means.
    assert mean == pytest.approx(given.mean(axis=0), rel=1e-4, abs=1e-4)
    assert variance == pytest.approx(given.var(axis=0), rel=0.02)
    inner = model.layers[4]
    hidden = np.asarray(inner.layers[1](np.asarray(model.layers[2](given, training=False))))
    assert _statistics(model)[2] == pytest.approx(hidden.mean(axis=0), rel=0.02, abs=0.02)


@pytest.mark.parametrize("higher_is_better, after, kept", [(True, 0.4, False), (False, 0.4, True), (True, 0.5, False)])
def test_the_old_statistics_are_put_back_unless_the_score_improves(
    higher_is_better: bool, after: float, kept: bool
) -> None:
    model = _model()
    before = _statistics(model)

    found = reestimate(model, (_samples(),), iter([0.5, after]).__next__, higher_is_better=higher_is_better)

    same = all((old == new).all() for old, new in zip(before, _statistics(model), strict=True))
    assert (found.kept, same) == (kept, not kept)
    assert (note(found, "top-1", 20).code, note(found, "top-1", 20).severity.value) == ("EC349", "note")


def test_afterwards_layers_behave_as_before() -> None:
    model = _model()
    momenta = [layer.momentum for layer in batch_norms(model)]

    reestimate(model, (_samples(),), iter([0.0, 1.0]).__next__)

    before = _statistics(model)
    model(_samples(), training=False)
    assert [layer.momentum for layer in batch_norms(model)] == momenta
    assert all((old == new).all() for old, new in zip(before, _statistics(model), strict=True))


def test_a_model_without_batch_norms_is_left_alone() -> None:
    keras = tf_keras()
    x = keras.Input((3,))

    found = reestimate(keras.Model(x, keras.layers.Dense(2)(x)), (_samples(),), lambda: 1.0)

    assert (found.layers, found.kept) == (0, False)
