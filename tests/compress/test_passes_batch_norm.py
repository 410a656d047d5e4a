"""The pass `batch_norm`: statistics measured again where they score better, before the model is a network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.passes.batch_norm import BatchNorm

pytestmark = pytest.mark.tensorflow


def _model() -> Any:
    from edgecompile.libs.keras import tf_keras

    layers = tf_keras().layers
    return tf_keras().Sequential([layers.Input((4,)), layers.BatchNormalization()])


def _context(labels: tuple[np.ndarray[Any, Any], ...]) -> Context:
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(400, 4)).astype(np.float32)
    score = Score(name="mean", of=lambda made, _: float(np.abs(made[0].mean())), higher_is_better=False)
    return Context(
        quantize=lambda network: network,
        train=Samples(x=(x,)),
        validation=Samples(x=(x[:100],), y=labels),
        score=score if labels else None,
    )


def test_statistics_that_score_better_are_kept_and_told() -> None:
    model, context = _model(), _context((np.zeros(100),))

    BatchNorm().adapt(model, lambda x: [np.asarray(model(x[0], training=False))], context)

    assert [diagnostic.code for diagnostic in context.diagnostics] == ["EC349"]
    assert np.allclose(model.layers[-1].moving_mean.numpy(), 3.0, atol=0.5)


def test_without_labels_nothing_changes() -> None:
    model, context = _model(), _context(())

    BatchNorm().adapt(model, lambda x: [np.asarray(model(x[0], training=False))], context)

    assert context.diagnostics == []
    assert np.all(model.layers[-1].moving_mean.numpy() == 0)


def test_training_samples_that_are_not_measured_decide_with_few_held_out_ones() -> None:
    model, context = _model(), _context((np.zeros(100),))
    assert context.train is not None
    misleading = Samples(x=(np.zeros((4, 4), np.float32),), y=(np.zeros(4),))
    labelled = Samples(x=context.train.x, y=(np.zeros(len(context.train)),))

    BatchNorm(samples=200).adapt(
        model,
        lambda x: [np.asarray(model(x[0], training=False))],
        replace(context, validation=misleading, train=labelled),
    )

    assert np.allclose(model.layers[-1].moving_mean.numpy(), 3.0, atol=0.5)
    assert "on 204 samples that were not measured" in context.diagnostics[0].notes[0]
