"""What several of these tests build: a small model and its data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture()
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a cache of its own: ``small.h5`` does not yet know which of two halves of its input is
    larger, and ``small.npz`` has samples to learn it from."""
    from edgecompile.libs.keras import tf_keras

    keras = tf_keras()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([layers.Input((8,)), layers.Dense(8, activation="relu"), layers.Dense(2, "softmax")])
    model.save(tmp_path / "small.h5")
    x = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    y = (x[:, :4].sum(1) > x[:, 4:].sum(1)).astype(np.int64)
    np.savez(tmp_path / "small.npz", x_train=x[:300], y_train=y[:300], x_test=x[300:], y_test=y[300:])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path / "cache"))
    return tmp_path
