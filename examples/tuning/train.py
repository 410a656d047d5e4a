"""Train a CNN on scikit-learn's digits that is too large for the budget; write digits.keras and digits.npz."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import load_digits

SEED, SCALE = 0, np.float32(0.0625)  # as [data.preprocess] in edgecompile.toml


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8[n, 8, 8, 1] from 0 to 16 and labels: x_train, y_train, x_test, y_test."""
    bundled = load_digits()
    x, y = bundled.images.astype(np.uint8)[..., np.newaxis], bundled.target.astype(np.int64)
    order = np.random.default_rng(SEED).permutation(len(x))
    test, train = np.split(order, [len(x) // 4])
    return x[train], y[train], x[test], y[test]


def make_model() -> keras.Model:
    """float32[n, 8, 8, 1] to ten probabilities; some 22,000 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv_1"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="dense"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def main() -> None:
    """Train, say how good it is, and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="one epoch, to see that it runs")
    epochs = 1 if options.parse_args().small else 15
    keras.utils.set_random_seed(SEED)
    x_train, y_train, x_test, y_test = digits()
    model = make_model()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train * SCALE, y_train, batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test * SCALE, y_test, verbose=0)[1]
    print(f"{model.count_params()} parameters, accuracy on {len(x_test)} test images: {accuracy:.4f}")
    model.save("digits.keras")
    np.savez("digits.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    print("wrote digits.keras and digits.npz")


if __name__ == "__main__":
    main()
