"""Train a small CNN on scikit-learn's handwritten digits; write digits.keras and digits.npz.

The same seed gives the same weights on the same machine and library versions.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

SEED = 0
EPOCHS = 15
TEST_SHARE = 0.2
SCALE = 0.0625  # as [data.preprocess] in edgecompile.toml


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images uint8[n, 8, 8, 1] from 0 to 16 and labels int64[n]: x_train, y_train, x_test, y_test."""
    bundled = load_digits()
    x, y = bundled.images.astype(np.uint8)[..., np.newaxis], bundled.target.astype(np.int64)
    order = np.random.RandomState(SEED).permutation(len(x))
    test, train = np.split(order, [int(len(x) * TEST_SHARE)])
    return x[train], y[train], x[test], y[test]


def make_model() -> keras.Model:
    """float32[n, 8, 8, 1] to ten probabilities."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv_1"),
            layers.BatchNormalization(name="norm_1"),
            layers.ReLU(name="relu_1"),
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
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    x_train, y_train, x_test, y_test = digits()
    model = make_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train * np.float32(SCALE), y_train, batch_size=32, epochs=EPOCHS, verbose=2)
    accuracy = model.evaluate(x_test * np.float32(SCALE), y_test, verbose=0)[1]
    print(f"accuracy on {len(x_test)} test images: {accuracy:.4f}")
    model.save("digits.keras")
    np.savez("digits.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    print("wrote digits.keras and digits.npz")


if __name__ == "__main__":
    main()
