"""Train a large teacher and, by itself, a tiny student on scikit-learn's digits; write both and digits.npz."""

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


def make_teacher() -> keras.Model:
    """Some 120,000 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(96, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="teacher",
    )


def make_student() -> keras.Model:
    """Some 600 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="conv"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu", name="depthwise"),
            layers.Conv2D(12, 1, activation="relu", name="pointwise"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="student",
    )


def train(model: keras.Model, data: tuple[np.ndarray, ...], epochs: int) -> None:
    """Fit, and say how good it is."""
    x_train, y_train, x_test, y_test = data
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train * SCALE, y_train, batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test * SCALE, y_test, verbose=0)[1]
    print(f"{model.name}: {model.count_params()} parameters, accuracy on {len(x_test)} test images: {accuracy:.4f}")


def main() -> None:
    """Train both and save them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="one epoch each, to see that it runs")
    epochs = (1, 1) if options.parse_args().small else (20, 30)
    keras.utils.set_random_seed(SEED)
    data = digits()
    for model, count in ((make_teacher(), epochs[0]), (make_student(), epochs[1])):
        train(model, data, count)
        model.save(f"{model.name}.keras")
    np.savez("digits.npz", **dict(zip(("x_train", "y_train", "x_test", "y_test"), data, strict=True)))
    print("wrote teacher.keras, student.keras and digits.npz")


if __name__ == "__main__":
    main()
