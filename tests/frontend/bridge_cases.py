"""Small Keras 3 models, one for each layer and operation that must survive the bridge.

``NAMED`` has the names of the layer survey that TF-MOT's failures were recorded for; ``FURTHER`` what
Keras 3 has beyond it, and the traps of the two generations' differences. A builder takes the ``keras`` module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

IMAGE, ROW, SERIES = (8, 8, 3), (6,), (5, 4)
Builder = Callable[[Any], Any]


def one(shape: tuple[int | None, ...], make: Callable[[Any], Any], dtype: str = "float32") -> Builder:
    """Input, one layer (made by ``make(keras)``), output."""

    def build(keras: Any) -> Any:
        x = keras.Input(shape, dtype=dtype)
        return keras.Model(x, make(keras)(x))

    return build


def chain(shape: tuple[int | None, ...], *makes: Callable[[Any], Any]) -> Builder:
    """A Sequential model."""
    return lambda keras: keras.Sequential([keras.Input(shape), *(make(keras) for make in makes)])


def graph(shape: tuple[int | None, ...], make: Callable[[Any, Any], Any], dtype: str = "float32") -> Builder:
    """Input, whatever ``make(keras, x)`` builds, output."""

    def build(keras: Any) -> Any:
        x = keras.Input(shape, dtype=dtype)
        return keras.Model(x, make(keras, x))

    return build


def layer(name: str, /, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """A maker of the layer ``name``."""
    return lambda keras: getattr(keras.layers, name)(*args, **kwargs)


def merge(name: str, /, **kwargs: Any) -> Builder:
    """Two branches into one merging layer."""

    def make(keras: Any, x: Any) -> Any:
        a, b = keras.layers.Dense(4)(x), keras.layers.Dense(4)(x)
        return getattr(keras.layers, name)(**kwargs)([a, b])

    return graph(ROW, make)


def activation(name: str) -> Builder:
    return chain(ROW, layer("Dense", 5), layer("Activation", name))


def residual(keras: Any, x: Any) -> Any:
    y = keras.layers.Conv2D(3, 3, padding="same")(x)
    return keras.layers.ReLU()(keras.layers.Add()([x, y]))


def pre_activation(keras: Any, x: Any) -> Any:
    y = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.layers.Add()([x, keras.layers.Conv2D(3, 3, padding="same")(y)])


def squeeze_excite(keras: Any, x: Any) -> Any:
    y = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    y = keras.layers.Conv2D(3, 1, activation="sigmoid")(keras.layers.Conv2D(2, 1, activation="relu")(y))
    return keras.layers.Multiply()([x, y])


def attention(keras: Any, x: Any) -> Any:
    return keras.layers.Attention()([x, keras.layers.Dense(4)(x)])


def transformer(keras: Any, x: Any) -> Any:
    y = keras.layers.MultiHeadAttention(2, 3)(x, x)
    x = keras.layers.LayerNormalization()(x + y)
    y = keras.layers.Dense(4)(keras.layers.Dense(8, activation="gelu")(x))
    return keras.layers.LayerNormalization()(keras.layers.Add()([x, y]))


def nested_functional(keras: Any, x: Any) -> Any:
    a = keras.Input((4,))
    inner = keras.Model(a, keras.layers.Dense(4, activation="relu")(keras.layers.Dense(4)(a)), name="inner")
    return keras.layers.Dense(2)(inner(inner(keras.layers.Dense(4)(x))))


def nested_sequential(keras: Any, x: Any) -> Any:
    inner = keras.Sequential([keras.Input(ROW), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3)])
    return keras.layers.Dense(2)(inner(x))


def shared(keras: Any, x: Any) -> Any:
    dense = keras.layers.Dense(6, activation="hard_silu")
    return keras.layers.Add()([dense(x), dense(dense(x))])


def many(keras: Any) -> Any:
    a, b = keras.Input(IMAGE, name="picture"), keras.Input(ROW, name="row")
    y = keras.layers.Concatenate()([keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(a)), keras.layers.Dense(4)(b)])
    return keras.Model([a, b], [keras.layers.Dense(3, activation="softmax")(y), keras.layers.Dense(1)(y)])


def resnet8(keras: Any) -> Any:
    layers = keras.layers

    def conv(x: Any, filters: int, size: int, stride: int) -> Any:
        return layers.Conv2D(
            filters, size, strides=stride, padding="same", kernel_regularizer=keras.regularizers.L2(1e-4)
        )(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.Activation("relu")(layers.BatchNormalization()(conv(inputs, 16, 3, 1)))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = layers.Activation("relu")(layers.BatchNormalization()(conv(x, filters, 3, stride)))
        y = layers.BatchNormalization()(conv(y, filters, 3, 1))
        x = x if stride == 1 else conv(x, filters, 1, stride)
        x = layers.Activation("relu")(layers.add([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def mixed(policy: str) -> Builder:
    def build(keras: Any) -> Any:
        return keras.Sequential(
            [
                keras.Input(IMAGE),
                keras.layers.Conv2D(4, 3, activation="relu", dtype=policy),
                keras.layers.BatchNormalization(dtype=policy),
                keras.layers.Flatten(dtype=policy),
                keras.layers.Dense(3, activation="softmax", dtype="float32"),
            ]
        )

    return build


def twice(keras: Any) -> type:
    """A user's own layer, of a class that is nowhere registered but in the caller."""

    @keras.saving.register_keras_serializable(package="bridge_cases")
    class Twice(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(shape[-1],), name="scale")

        def call(self, x: Any) -> Any:
            return 2.0 * x * self.scale

    return Twice


def subclassed(keras: Any) -> Any:
    class Whole(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(x) * 2.0

    x = keras.Input(ROW)
    return keras.Model(x, Whole()(x))


CONV_BN_RELU = (layer("Conv2D", 4, 3), layer("BatchNormalization"), layer("ReLU"))

NAMED: dict[str, Builder] = {
    "Dense": chain(ROW, layer("Dense", 4)),
    "Conv2D": chain(IMAGE, layer("Conv2D", 4, 3)),
    "Conv2D dilated": chain(IMAGE, layer("Conv2D", 4, 3, dilation_rate=2)),
    "Conv2D groups=2": chain((8, 8, 4), layer("Conv2D", 4, 3, groups=2)),
    "Conv2D+BN+ReLU": chain(IMAGE, *CONV_BN_RELU),
    "Conv2D-BN-ReLU": chain(IMAGE, layer("Conv2D", 4, 3, use_bias=False), *CONV_BN_RELU[1:]),
    "BN first (no conv before)": chain(IMAGE, layer("BatchNormalization"), layer("Conv2D", 2, 3)),
    "pre-activation BN (ResNetV2)": graph(IMAGE, pre_activation),
    "Dense+BN": chain(ROW, layer("Dense", 4), layer("BatchNormalization")),
    "DepthwiseConv2D": chain(IMAGE, layer("DepthwiseConv2D", 3, depth_multiplier=2)),
    "DepthwiseConv2D-BN-ReLU6": chain(
        IMAGE, layer("DepthwiseConv2D", 3), layer("BatchNormalization"), layer("ReLU", max_value=6.0)
    ),
    "SeparableConv2D": chain(IMAGE, layer("SeparableConv2D", 4, 3)),
    "SeparableConv2D-BN-ReLU": chain(IMAGE, layer("SeparableConv2D", 4, 3), *CONV_BN_RELU[1:]),
    "Conv2DTranspose": chain(IMAGE, layer("Conv2DTranspose", 4, 3, strides=2, padding="same")),
    "Conv2DTranspose-BN": chain(IMAGE, layer("Conv2DTranspose", 4, 3), layer("BatchNormalization")),
    "Conv1D": chain(SERIES, layer("Conv1D", 4, 3, padding="causal")),
    "Conv1D-BN-ReLU": chain(SERIES, layer("Conv1D", 4, 3), *CONV_BN_RELU[1:]),
    "DepthwiseConv1D": chain(SERIES, layer("DepthwiseConv1D", 3)),
    "SeparableConv1D": chain(SERIES, layer("SeparableConv1D", 4, 3)),
    "Conv3D": chain((4, 4, 4, 2), layer("Conv3D", 3, 2)),
    "Embedding": one((5,), layer("Embedding", 9, 4), "int32"),
    "LayerNormalization": chain(ROW, layer("LayerNormalization")),
    "GroupNormalization": chain((4, 4, 6), layer("GroupNormalization", 3)),
    "UnitNormalization": chain(ROW, layer("UnitNormalization")),
    "ReLU": chain(ROW, layer("ReLU")),
    "ReLU(6)": chain(ROW, layer("ReLU", max_value=6.0)),
    "ReLU(max=1)": chain(ROW, layer("ReLU", max_value=1.0, negative_slope=0.1, threshold=0.2)),
    "LeakyReLU": chain(ROW, layer("LeakyReLU")),
    "PReLU": chain(IMAGE, layer("PReLU", shared_axes=[1, 2])),
    "ELU": chain(ROW, layer("ELU", alpha=0.7)),
    "Softmax layer": chain((4, 5), layer("Softmax", axis=1)),
    "Dropout": chain(ROW, layer("Dropout", 0.4, seed=3), layer("Dense", 2)),
    "SpatialDropout2D": chain(IMAGE, layer("SpatialDropout2D", 0.4)),
    "GaussianNoise": chain(ROW, layer("GaussianNoise", 0.4)),
    "Flatten": chain(IMAGE, layer("Flatten")),
    "Reshape": chain(IMAGE, layer("Reshape", (-1, 6))),
    "Permute": chain(IMAGE, layer("Permute", (3, 1, 2))),
    "ZeroPadding2D": chain(IMAGE, layer("ZeroPadding2D", ((1, 0), (2, 1)))),
    "Cropping2D": chain(IMAGE, layer("Cropping2D", ((1, 0), (2, 1)))),
    "MaxPooling2D": chain(IMAGE, layer("MaxPooling2D", 2)),
    "AveragePooling2D": chain(IMAGE, layer("AveragePooling2D", 3, strides=2, padding="same")),
    "GlobalMaxPooling2D": chain(IMAGE, layer("GlobalMaxPooling2D")),
    "GlobalAveragePooling2D": chain(IMAGE, layer("GlobalAveragePooling2D")),
    "GlobalAveragePooling2D keepdims": chain(IMAGE, layer("GlobalAveragePooling2D", keepdims=True)),
    "UpSampling2D nearest": chain(IMAGE, layer("UpSampling2D", 2)),
    "UpSampling2D bilinear": chain(IMAGE, layer("UpSampling2D", (2, 3), interpolation="bilinear")),
    "Lambda": chain(ROW, layer("Lambda", lambda x: x * 3.0 + 1.0)),
    "Resizing": chain(IMAGE, layer("Resizing", 5, 11)),
    **{
        f"Activation {name}": activation(name)
        for name in (
            *("relu", "sigmoid", "tanh", "swish", "hard_sigmoid", "gelu", "mish", "elu", "selu", "softplus"),
            *("softsign", "exponential", "relu6", "leaky_relu", "softmax"),
        )
    },
    "Conv2D(activation=swish)": chain(IMAGE, layer("Conv2D", 4, 3, activation="swish")),
    "Conv2D(activation=hswish fn)": chain(IMAGE, layer("Conv2D", 4, 3, activation="hard_swish")),
    "hard_swish TFOpLambda": graph(IMAGE, lambda keras, x: x * keras.ops.relu6(x + 3.0) / 6.0),
    "tf op x*2+1": graph(ROW, lambda keras, x: x * 2.0 + 1.0),
    "slice x[:,1:]": graph(ROW, lambda keras, x: x[:, 1:]),
    "tf.reduce_mean": graph(IMAGE, lambda keras, x: keras.ops.mean(x, axis=(1, 2), keepdims=True)),
    "Add": merge("Add"),
    "Multiply": merge("Multiply"),
    "Concatenate": merge("Concatenate", axis=-1),
    "Subtract": merge("Subtract"),
    "Average": merge("Average"),
    "Maximum": merge("Maximum"),
    "Add+ReLU (residual)": graph(IMAGE, residual),
    "Dot": merge("Dot", axes=1, normalize=True),
    "SE block (Multiply+sigmoid)": graph(IMAGE, squeeze_excite),
    "Rescaling": chain(IMAGE, layer("Rescaling", [0.1, 0.2, 0.3], offset=-1.0)),
    "Normalization": chain(IMAGE, layer("Normalization", axis=-1)),
    "RandomFlip": chain(IMAGE, layer("RandomFlip"), layer("RandomRotation", 0.2), layer("Conv2D", 2, 3)),
    "LSTM": chain(SERIES, layer("LSTM", 3)),
    "LSTM unroll": chain(SERIES, layer("LSTM", 3, unroll=True, return_sequences=True)),
    "GRU": chain(SERIES, layer("GRU", 3)),
    "GRU unroll": chain(SERIES, layer("GRU", 3, unroll=True, reset_after=False)),
    "SimpleRNN": chain(SERIES, layer("SimpleRNN", 3, go_backwards=True)),
    "Bidirectional LSTM": chain(
        SERIES, lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True), merge_mode="sum")
    ),
    "TimeDistributed(Dense)": chain(SERIES, lambda k: k.layers.TimeDistributed(k.layers.Dense(3, activation="relu6"))),
    "MultiHeadAttention": graph(SERIES, lambda k, x: k.layers.MultiHeadAttention(2, 3)(x, x)),
    "transformer block": graph(SERIES, transformer),
    "Attention": graph(SERIES, attention),
    "EinsumDense": chain(SERIES, layer("EinsumDense", "abc,cd->abd", output_shape=(None, 7), bias_axes="d")),
    "custom layer": graph(ROW, lambda keras, x: keras.layers.Dense(3)(twice(keras)()(x))),
    "nested Sequential": graph(ROW, nested_sequential),
    "nested functional": graph(ROW, nested_functional),
    "shared layer (used twice)": graph(ROW, shared),
    "multi-input multi-output": many,
    "dynamic H,W (None,None,3)": chain((None, None, 3), layer("Conv2D", 4, 3), layer("GlobalMaxPooling2D")),
    "subclassed model": subclassed,
    "two consecutive ReLU / Dense no act": chain(ROW, layer("Dense", 4), layer("ReLU"), layer("ReLU")),
    "mixed dtype float16 model": mixed("mixed_float16"),
    "app:MobileNet": lambda keras: keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=10),
    "mlperf:ResNet8": resnet8,
}
# Layers that Keras 3 no longer has.
NOT_IN_KERAS_3 = frozenset({"LocallyConnected1D", "ThresholdedReLU"})


def dictionary(keras: Any) -> Any:
    inputs = {"b": keras.Input(ROW, name="b"), "a": keras.Input((3,), name="a")}
    joined = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
    return keras.Model(inputs, {"y": keras.layers.Dense(2)(joined), "x": keras.layers.Dense(3)(joined)})


def masked(keras: Any, x: Any) -> Any:
    y = keras.layers.Embedding(6, 4, mask_zero=True)(x)
    return keras.layers.GRU(3)(keras.layers.LSTM(4, return_sequences=True)(y))


def states(keras: Any, x: Any) -> Any:
    _, h, c = keras.layers.LSTM(3, return_state=True)(x)
    return keras.layers.LSTM(3, return_sequences=True)(x, initial_state=[h, c])


def causal(keras: Any, x: Any) -> Any:
    out, scores = keras.layers.MultiHeadAttention(2, 3)(
        query=x, value=x, use_causal_mask=True, return_attention_scores=True
    )
    return [out, scores]


def split(keras: Any, x: Any) -> Any:
    a, b = keras.ops.split(x, 2, axis=-1)
    return keras.ops.where(a > 0.0, a, keras.ops.einsum("ij,ij->ij", a, b))


def stacked(keras: Any) -> Any:
    cells = keras.layers.StackedRNNCells([keras.layers.LSTMCell(3), keras.layers.GRUCell(2)])
    return keras.layers.RNN(cells)


def deeper(keras: Any) -> Any:
    inner = keras.Sequential([keras.Input(ROW), keras.layers.Dense(4)], name="block")
    outer = keras.Sequential([keras.Input(ROW), inner, keras.layers.Dense(4)], name="block_around")
    return keras.Sequential([keras.Input(ROW), outer, keras.layers.Dense(4, name="dense")])


def my_activation(x: Any) -> Any:
    return x * x


FURTHER: dict[str, Builder] = {
    **{
        f"Dense(activation={name})": chain(ROW, layer("Dense", 4, activation=name), layer("Dense", 2))
        for name in (
            *("celu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid"),
            *("log_softmax", "relu6", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus"),
            *("tanh_shrink", "silu", "gelu"),
        )
    },
    "LSTM(recurrent hard_sigmoid)": chain(
        SERIES, layer("LSTM", 3, activation="relu6", recurrent_activation="hard_sigmoid")
    ),
    "activation of the user": chain(ROW, layer("Dense", 4, activation=my_activation)),
    "RMSNormalization": chain(ROW, layer("RMSNormalization")),
    "GroupQueryAttention": graph(SERIES, lambda k, x: k.layers.GroupQueryAttention(3, 4, 2)(x, x)),
    "AdaptiveAveragePooling2D": chain(IMAGE, layer("AdaptiveAveragePooling2D", 3)),
    "SpectralNormalization": chain(IMAGE, lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(4, 3))),
    "Resizing(crop_to_aspect_ratio)": chain(IMAGE, layer("Resizing", 4, 6, crop_to_aspect_ratio=True)),
    "Resizing(pad_to_aspect_ratio)": chain(IMAGE, layer("Resizing", 4, 6, pad_to_aspect_ratio=True)),
    "CenterCrop": chain(IMAGE, layer("CenterCrop", 4, 5)),
    "image.resize": graph(IMAGE, lambda k, x: k.ops.image.resize(x, (5, 5), interpolation="nearest")),
    "ops.gelu (tanh by default)": graph(ROW, lambda k, x: k.ops.gelu(x)),
    "ops.softmax": graph(ROW, lambda k, x: k.ops.softmax(k.layers.Dense(4)(x))),
    "split, where, einsum": graph(ROW, split),
    "ops.normalize": graph(ROW, lambda k, x: k.ops.normalize(x, axis=-1)),
    "ops.concatenate, stack": graph(
        ROW, lambda k, x: k.ops.stack([k.ops.concatenate([x, x]), k.ops.concatenate([x, -x])])
    ),
    "indexing": graph(IMAGE, lambda k, x: x[:, ::2, None, 1:-1, ..., 0]),
    "ops.cast, argmax": graph(ROW, lambda k, x: k.ops.cast(k.ops.argmax(x, axis=-1), "float32")),
    "1 - x, x ** 2, x @ y": graph((4, 4), lambda k, x: (1.0 - x) @ (x**2) / 3.0),
    "constant array": graph((3,), lambda k, x: x + __import__("numpy").array([1.0, 2.0, 3.0], "float32")),
    "dictionary in and out": dictionary,
    "Embedding(mask_zero) + RNN": graph((7,), masked, "int32"),
    "Masking + LSTM": chain(SERIES, layer("Masking", 0.0), layer("LSTM", 3)),
    "initial state": graph(SERIES, states),
    "MultiHeadAttention(causal, scores)": graph(SERIES, causal),
    "RNN of stacked cells": chain(SERIES, stacked),
    "ConvLSTM2D": chain((3, 6, 6, 2), layer("ConvLSTM2D", 2, 3)),
    "Bidirectional of GRU, concat": chain(SERIES, lambda k: k.layers.Bidirectional(k.layers.GRU(3))),
    "Bidirectional with its own backward layer": chain(
        SERIES, lambda k: k.layers.Bidirectional(k.layers.LSTM(3), backward_layer=k.layers.GRU(3, go_backwards=True))
    ),
    "TimeDistributed(nested model)": chain(
        SERIES,
        lambda k: k.layers.TimeDistributed(k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="hard_silu")])),
    ),
    "nested in nested, equal names": deeper,
    "Normalization of given mean": chain(
        IMAGE, layer("Normalization", axis=-1, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])
    ),
    "Normalization without axis": chain(ROW, layer("Normalization", axis=None)),
    "Normalization inverted": chain(ROW, layer("Normalization", invert=True)),
    "BatchNormalization axis 1, no scale": chain(IMAGE, layer("BatchNormalization", axis=1, scale=False)),
    "GlobalMaxPooling1D after Conv1DTranspose": chain(
        SERIES, layer("Conv1DTranspose", 3, 3, strides=2), layer("GlobalMaxPooling1D")
    ),
    "uint8 input through augmentation": one(IMAGE, layer("RandomFlip"), "uint8"),
    "Minimum": merge("Minimum"),
    "AdditiveAttention": graph(SERIES, lambda k, x: k.layers.AdditiveAttention()([x, x])),
    "Conv2D channels_last padded, strided": chain(IMAGE, layer("Conv2D", 4, 3, strides=2, padding="same")),
    "Dense of an L1L2 and a MaxNorm": chain(
        ROW,
        lambda k: k.layers.Dense(
            4, kernel_regularizer=k.regularizers.L1L2(0.1, 0.2), kernel_constraint=k.constraints.MaxNorm(2.0)
        ),
    ),
    "float64 model": mixed("float64"),
    "bfloat16 model": mixed("mixed_bfloat16"),
    "frozen layers": chain(ROW, layer("Dense", 4, trainable=False), layer("BatchNormalization", trainable=False)),
    "layer names with blanks": chain(ROW, layer("Dense", 4, name="my dense (1)"), layer("ReLU", name="_relu")),
    "SE of ops": graph(IMAGE, lambda k, x: x * k.ops.sigmoid(k.ops.mean(x, axis=[1, 2], keepdims=True))),
}
