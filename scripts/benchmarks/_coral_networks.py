"""Keras networks of the kinds that people bring to an Edge TPU, small, with random weights: saved as .keras files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import layers

SEED = 1


def cell(
    x: Any, filters: int, kernel: int, stride: int = 1, activation: str | None = "relu6", deep: bool = False
) -> Any:
    """Convolution (depthwise if ``deep``), batch normalization, activation."""
    if deep:
        x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(x)
    else:
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def efficientnet_lite() -> keras.Model:
    """Inverted residuals with kernels of 3 and 5, ReLU6, no squeeze-and-excite: EfficientNet-Lite's building blocks."""
    inputs = keras.Input((96, 96, 3))
    x = cell(inputs, 32, 3, 2)
    for widen, filters, stride, kernel in (
        (1, 16, 1, 3), (6, 24, 2, 3), (6, 24, 1, 3), (6, 40, 2, 5), (6, 80, 2, 3), (6, 112, 1, 5), (6, 192, 2, 5),
    ):  # fmt: skip
        y = cell(x, x.shape[-1] * widen, 1) if widen > 1 else x
        y = cell(cell(y, 0, kernel, stride, deep=True), filters, 1, activation=None)
        x = layers.Add()([x, y]) if stride == 1 and x.shape[-1] == filters else y
    x = layers.GlobalAveragePooling2D()(cell(x, 320, 1))
    return keras.Model(inputs, layers.Dense(100, activation="softmax")(layers.Dropout(0.2)(x)))


def resnet8() -> keras.Model:
    """MLPerf Tiny's ResNet-8."""
    inputs = keras.Input((32, 32, 3))
    x = cell(inputs, 16, 3, activation="relu")
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = cell(cell(x, filters, 3, stride, "relu"), filters, 3, activation=None)
        x = layers.Conv2D(filters, 1, stride, padding="same")(x) if stride > 1 else x
        x = layers.Activation("relu")(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def deeplab(size: int) -> keras.Model:
    """Encoder, atrous pyramid with image pooling, decoder with a skip, and the map enlarged to the image."""
    inputs = keras.Input((size, size, 3))
    low = cell(cell(cell(inputs, 16, 3, 2), 0, 3, 2, deep=True), 32, 1)
    x = cell(cell(low, 0, 3, 2, deep=True), 64, 1)
    wide = cell(layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x), 64, 1)
    pooled = cell(layers.GlobalAveragePooling2D(keepdims=True)(x), 64, 1, activation="relu")
    pooled = layers.Resizing(x.shape[1], x.shape[2])(pooled)
    x = cell(layers.Concatenate()([cell(x, 64, 1), wide, pooled]), 64, 1)
    x = layers.Resizing(low.shape[1], low.shape[2])(x)
    x = layers.Conv2D(21, 1)(cell(layers.Concatenate()([x, low]), 64, 3))
    return keras.Model(inputs, layers.Resizing(size, size)(x))


def unet(up: str, activation: Callable[[], Any]) -> keras.Model:
    """Two levels down, two up, with skips."""
    inputs = x = keras.Input((64, 64, 3))
    skips = []
    for filters in (16, 32):
        x = activation()(layers.Conv2D(filters, 3, padding="same")(x))
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = activation()(layers.Conv2D(64, 3, padding="same")(x))
    for filters in (32, 16):
        grown = (
            layers.Conv2DTranspose(filters, 2, 2, padding="same")
            if up == "transpose"
            else layers.UpSampling2D(interpolation=up)
        )
        x = layers.Concatenate()([grown(x), skips.pop()])
        x = activation()(layers.Conv2D(filters, 3, padding="same")(x))
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def odd_head() -> keras.Model:
    """A flattened map of 6 channels and a dense layer over time: what a layout in groups of four does not like."""
    inputs = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, strides=2, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))


def leaky() -> Any:
    """LeakyReLU."""
    return layers.LeakyReLU(negative_slope=0.1)


def relu() -> Any:
    """ReLU."""
    return layers.ReLU()


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "mobilenet_v1": lambda: keras.applications.MobileNet((96, 96, 3), alpha=0.25, weights=None, classes=100),
    "mobilenet_v2": lambda: keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=100),
    "mobilenet_v3_small": lambda: keras.applications.MobileNetV3Small(
        (96, 96, 3), alpha=0.75, weights=None, classes=100
    ),
    "mobilenet_v3_large": lambda: keras.applications.MobileNetV3Large(
        (96, 96, 3), alpha=0.75, weights=None, classes=100
    ),
    "efficientnet_lite": efficientnet_lite,
    "resnet8": resnet8,
    "deeplab_65": lambda: deeplab(65),
    "unet_transpose": lambda: unet("transpose", relu),
    "unet_bilinear": lambda: unet("bilinear", relu),
    "unet_leaky": lambda: unet("nearest", leaky),
    "flatten_6_channels": odd_head,
}


def main() -> int:
    """Save the networks into the folder given."""
    for name, make in NETWORKS.items():
        keras.utils.set_random_seed(SEED)
        make().save(Path(sys.argv[1]) / f"{name}.keras")
    return 0


if __name__ == "__main__":
    sys.exit(main())
