"""Train a small CNN to tell from which of three photographs a piece is; write pieces.keras and pieces.npz.

The photographs come with scikit-learn (china.jpg, flower.jpg) and Matplotlib (grace_hopper.jpg). Pieces for the test
are cut from the right quarter of each, those for training from the rest: no pixel is in both.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from matplotlib import cbook
from PIL import Image
from sklearn.datasets import load_sample_image

SEED, SIZE = 0, 48
SCALE, OFFSET = 0.00784313725490196, -1.0  # as [data.preprocess] in edgecompile.toml


def photographs() -> list[np.ndarray]:
    """``uint8[h, w, 3]``: a temple, a flower, a portrait."""
    portrait = Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)).convert("RGB")
    return [load_sample_image("china.jpg"), load_sample_image("flower.jpg"), np.asarray(portrait)]


def pieces(count: int, rng: np.random.Generator, test: bool) -> tuple[np.ndarray, np.ndarray]:
    """``uint8[n, 48, 48, 3]``, mirrored and brightened at random, and which photograph each is from."""
    images, found = photographs(), []
    labels = np.arange(count) % len(images)
    for label in labels:
        image = images[label]
        border = image.shape[1] * 3 // 4
        left, right = (border, image.shape[1]) if test else (0, border)
        y, x = rng.integers(0, image.shape[0] - SIZE), rng.integers(left, right - SIZE)
        piece = image[y : y + SIZE, x : x + SIZE].astype(np.float32) * rng.uniform(0.8, 1.2)
        found.append(np.clip(piece[:, :: rng.choice([-1, 1])], 0, 255).astype(np.uint8))
    return np.stack(found), labels.astype(np.int64)


def make_model() -> keras.Model:
    """float32[n, 48, 48, 3] to three probabilities."""
    layers = keras.layers
    blocks: list[keras.layers.Layer] = [keras.Input((SIZE, SIZE, 3), name="piece")]
    for filters in (16, 32, 64):
        blocks += [layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)]
        blocks += [layers.BatchNormalization(), layers.ReLU()]
    blocks += [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax", name="photograph")]
    return keras.Sequential(blocks, name="pieces")


def main() -> None:
    """Train, say how good it is, and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="a few pieces and epochs, to see that it runs")
    count, epochs = (90, 1) if options.parse_args().small else (3000, 10)
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    x_train, y_train = pieces(count, rng, test=False)
    x_test, y_test = pieces(count // 5, rng, test=True)
    model = make_model()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train * np.float32(SCALE) + OFFSET, y_train, batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test * np.float32(SCALE) + OFFSET, y_test, verbose=0)[1]
    print(f"accuracy on {len(x_test)} test pieces: {accuracy:.4f}")
    model.save("pieces.keras")
    np.savez("pieces.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    print("wrote pieces.keras and pieces.npz")


if __name__ == "__main__":
    main()
