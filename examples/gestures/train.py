"""Train a small network on made-up gestures; write gestures.keras and gestures.npz."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from motions import GESTURES, SAMPLES, motions

SEED = 0


def make_model() -> keras.Model:
    """float32[n, 100, 6] to four probabilities: convolutions over time."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SAMPLES, 6), name="motion"),
            layers.Conv1D(16, 5, strides=2, padding="same", activation="relu", name="conv_1"),
            layers.Conv1D(24, 5, strides=2, padding="same", activation="relu", name="conv_2"),
            layers.Conv1D(32, 3, strides=2, padding="same", activation="relu", name="conv_3"),
            layers.GlobalMaxPooling1D(name="pool"),
            layers.Dense(len(GESTURES), activation="softmax", name="gesture"),
        ],
        name="gestures",
    )


def main() -> None:
    """Train, say how good it is, and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="a few motions and epochs, to see that it runs")
    count, epochs = (80, 1) if options.parse_args().small else (2400, 15)
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    x_train, y_train = motions(count, rng)
    x_test, y_test = motions(count // 4, rng)
    model = make_model()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, epochs=epochs, verbose=0)
    print(f"accuracy on {len(x_test)} test motions: {model.evaluate(x_test, y_test, verbose=0)[1]:.4f}")
    model.save("gestures.keras")
    np.savez("gestures.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    print("wrote gestures.keras and gestures.npz")


if __name__ == "__main__":
    main()
