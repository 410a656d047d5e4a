"""Train a small network on six made-up words; write kws.keras, clips.npz, heard.wav and sound.raw.

The model sees what the device will compute: the features are those of edgecompile.toml, by edgecompile itself.
"""

from __future__ import annotations

import argparse
import os
import wave
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from words import CLIP, SAMPLE_RATE, WORDS, words

from edgecompile.config.project import read_project
from edgecompile.features import Plan, compute, plan_of
from edgecompile.features.quantized import scaled

SEED = 0


def make_model(rows: int, columns: int) -> keras.Model:
    """float32[n, rows, columns, 1] to six probabilities: depthwise separable convolutions."""
    layers = keras.layers
    model = [keras.Input((rows, columns, 1), name="features"), layers.Conv2D(16, 5, strides=2, padding="same")]
    model += [layers.BatchNormalization(), layers.ReLU()]
    for channels, strides in ((24, 2), (32, 1), (32, 2)):
        model += [
            layers.DepthwiseConv2D(3, strides=strides, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
        model += [layers.Conv2D(channels, 1), layers.BatchNormalization(), layers.ReLU()]
    model += [layers.GlobalAveragePooling2D(), layers.Dense(len(WORDS), activation="softmax", name="word")]
    return keras.Sequential(model, name="kws")


def features_of(clips: np.ndarray, plan: Plan) -> np.ndarray:
    """What the model's input is on the device, as real numbers."""
    given = read_project(Path("edgecompile.toml")).data.preprocess
    return scaled(compute(plan, clips), given.scale, given.offset)[..., np.newaxis]


def write_wav(name: str, clip: np.ndarray) -> None:
    """One channel, 16 bits."""
    with wave.open(name, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(clip.astype("<i2").tobytes())


def main() -> None:
    """Train, say how good it is, and save."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="a few clips and epochs, to see that it runs")
    clips, epochs = (60, 1) if options.parse_args().small else (1200, 15)
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    x_train, y_train = words(clips, rng)
    x_test, y_test = words(clips // 4, rng)
    data = read_project(Path("edgecompile.toml")).data
    plan = plan_of(data.features, data.preprocess.sample_rate, CLIP)
    model = make_model(plan.rows, plan.columns)
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(features_of(x_train, plan), y_train, batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(features_of(x_test, plan), y_test, verbose=0)[1]
    print(f"accuracy on {len(x_test)} test clips: {accuracy:.4f}")
    model.save("kws.keras")
    np.savez("clips.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    write_wav("heard.wav", x_test[WORDS.index("oi")])
    pause = x_test[0][: CLIP // 2] // 4
    said = [part for clip in x_test[1 : len(WORDS)] for part in (pause, clip)]
    np.concatenate([*said, pause]).astype("<i2").tofile("sound.raw")
    print("wrote kws.keras, clips.npz, heard.wav (the first test clip of `oi`)")
    print("and sound.raw (each word once, after a pause)")


if __name__ == "__main__":
    main()
