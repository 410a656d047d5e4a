"""One small model for each kind of layer that people use: the 105 names of the breakage table, rebuilt.

The table tells what TF-MOT 0.8.1 does with each (tf-keras 2.21, July 2026). Models are of Keras 2
(tf_keras) and built on demand: ``MODELS[name](tf, keras)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Build = Callable[[Any, Any], Any]
SHAPE = (16, 16, 8)
STEPS, FEATURES = 12, 8

MODELS: dict[str, Build] = {}


def model(name: str) -> Callable[[Build], Build]:
    """Enter a builder under its name."""

    def enter(build: Build) -> Build:
        MODELS[name] = build
        return build

    return enter


def _image(name: str, middle: Callable[[Any, Any, Any], Any], *, head: bool = True, first: bool = True) -> None:
    """A model whose ``middle(tf, layers, x)`` stands between a convolution and the classifier."""

    def build(tf: Any, keras: Any) -> Any:
        layers = keras.layers
        given = keras.Input(SHAPE)
        x = layers.Conv2D(8, 3, padding="same")(given) if first else given
        x = middle(tf, layers, x)
        if head and len(x.shape) == 4:
            x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(given, layers.Dense(4)(x) if head else x)

    MODELS[name] = build


def _series(name: str, middle: Callable[[Any, Any, Any], Any], *, pool: bool = True) -> None:
    """A model of a series ``[12, 8]`` with ``middle`` in front of the classifier."""

    def build(tf: Any, keras: Any) -> Any:
        layers = keras.layers
        given = keras.Input((STEPS, FEATURES))
        x = middle(tf, layers, given)
        if pool and len(x.shape) == 3:
            x = layers.GlobalAveragePooling1D()(x)
        return keras.Model(given, layers.Dense(4)(x))

    MODELS[name] = build


def _flat(name: str, middle: Callable[[Any, Any, Any], Any], *, classes: bool = True) -> None:
    """A model of a row of 16 numbers."""

    def build(tf: Any, keras: Any) -> Any:
        layers = keras.layers
        given = keras.Input((16,))
        x = middle(tf, layers, given)
        return keras.Model(given, layers.Dense(4)(x) if classes else x)

    MODELS[name] = build


def _in_order(*makers: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """A middle that applies layers one after the other."""

    def middle(tf: Any, layers: Any, x: Any) -> Any:
        for make in makers:
            x = make(layers)(x)
        return x

    return middle


def _bn(layers: Any) -> Any:
    """A batch norm whose statistics are not those of a fresh one, so that folding it is seen."""
    return layers.BatchNormalization(
        beta_initializer="random_normal",
        gamma_initializer=_around_one,
        moving_mean_initializer="random_normal",
        moving_variance_initializer=_around_one,
    )


def _around_one(shape: Any, dtype: Any = None, **_: Any) -> Any:
    import tensorflow as tf

    return tf.random.uniform(shape, 0.5, 1.5, dtype=dtype or tf.float32)


def _conv(layers: Any, **options: Any) -> Any:
    return layers.Conv2D(8, 3, padding="same", **options)


# Dense and convolutions
_flat("Dense", _in_order(lambda k: k.Dense(16, activation="relu")))
_image("Conv2D", _in_order(lambda k: _conv(k)))
_image("Conv2D dilated", _in_order(lambda k: _conv(k, dilation_rate=2)))
_image("Conv2D groups=2", _in_order(lambda k: _conv(k, groups=2)))
_image("Conv2D+BN+ReLU", _in_order(lambda k: _conv(k), _bn, lambda k: k.ReLU()))
_image("Conv2D-BN-ReLU", _in_order(lambda k: _conv(k, use_bias=False), _bn, lambda k: k.ReLU()), first=False)
_image("BN first (no conv before)", _in_order(_bn, lambda k: _conv(k)), first=False)
_image("Conv2DTranspose", _in_order(lambda k: k.Conv2DTranspose(8, 3, strides=2, padding="same")))
_image("Conv2DTranspose-BN", _in_order(lambda k: k.Conv2DTranspose(8, 3, strides=2, padding="same"), _bn))
_flat("Dense+BN", _in_order(lambda k: k.Dense(16), _bn))
_image("DepthwiseConv2D", _in_order(lambda k: k.DepthwiseConv2D(3, padding="same")))
_image(
    "DepthwiseConv2D-BN-ReLU6",
    _in_order(lambda k: k.DepthwiseConv2D(3, padding="same", use_bias=False), _bn, lambda k: k.ReLU(6.0)),
    first=False,
)
_image("SeparableConv2D", _in_order(lambda k: k.SeparableConv2D(8, 3, padding="same")))
_image(
    "SeparableConv2D-BN-ReLU",
    _in_order(lambda k: k.SeparableConv2D(8, 3, padding="same"), _bn, lambda k: k.ReLU()),
    first=False,
)
_series("Conv1D", _in_order(lambda k: k.Conv1D(8, 3, padding="same")))
_series("Conv1D-BN-ReLU", _in_order(lambda k: k.Conv1D(16, 3, padding="same"), _bn, lambda k: k.ReLU()))
_series("DepthwiseConv1D", _in_order(lambda k: k.DepthwiseConv1D(3, padding="same")))
_series("SeparableConv1D", _in_order(lambda k: k.SeparableConv1D(8, 3, padding="same")))
_series("LocallyConnected1D", _in_order(lambda k: k.LocallyConnected1D(8, 3)))
_series("TimeDistributed(Dense)", _in_order(lambda k: k.TimeDistributed(k.Dense(16, activation="relu"))))
_series("EinsumDense", _in_order(lambda k: k.EinsumDense("abc,cd->abd", output_shape=(None, 16), bias_axes="d")))

# Norms
_image("LayerNormalization", _in_order(lambda k: k.LayerNormalization()))
_image("GroupNormalization", _in_order(lambda k: k.GroupNormalization(groups=2)))
_image("UnitNormalization", _in_order(lambda k: k.UnitNormalization()))

# Activations as layers
for _name, _make in {
    "ReLU": lambda k: k.ReLU(),
    "ReLU(6)": lambda k: k.ReLU(6.0),
    "ReLU(max=1)": lambda k: k.ReLU(max_value=1.0),
    "LeakyReLU": lambda k: k.LeakyReLU(0.1),
    "PReLU": lambda k: k.PReLU(alpha_initializer="random_normal", shared_axes=[1, 2]),
    "ELU": lambda k: k.ELU(),
    "ThresholdedReLU": lambda k: k.ThresholdedReLU(0.5),
    "Softmax layer": lambda k: k.Softmax(),
    "Dropout": lambda k: k.Dropout(0.3),
    "SpatialDropout2D": lambda k: k.SpatialDropout2D(0.3),
    "GaussianNoise": lambda k: k.GaussianNoise(0.1),
    "Flatten": lambda k: k.Flatten(),
    "Reshape": lambda k: k.Reshape((16 * 16 * 8,)),
    "Permute": lambda k: k.Permute((2, 1, 3)),
    "ZeroPadding2D": lambda k: k.ZeroPadding2D(1),
    "Cropping2D": lambda k: k.Cropping2D(1),
    "MaxPooling2D": lambda k: k.MaxPooling2D(),
    "AveragePooling2D": lambda k: k.AveragePooling2D(),
    "GlobalMaxPooling2D": lambda k: k.GlobalMaxPooling2D(),
    "GlobalAveragePooling2D": lambda k: k.GlobalAveragePooling2D(),
    "UpSampling2D nearest": lambda k: k.UpSampling2D(),
    "UpSampling2D bilinear": lambda k: k.UpSampling2D(interpolation="bilinear"),
    "Lambda": lambda k: k.Lambda(lambda x: x * 2.0),
    "Resizing": lambda k: k.Resizing(8, 8),
    "RandomFlip": lambda k: k.RandomFlip("horizontal"),
}.items():
    _image(_name, _in_order(_make))
_image("GlobalAveragePooling2D keepdims", _in_order(lambda k: k.GlobalAveragePooling2D(keepdims=True)))
for _name in [
    "relu",
    "sigmoid",
    "tanh",
    "swish",
    "hard_sigmoid",
    "gelu",
    "mish",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "exponential",
    "relu6",
    "leaky_relu",
    "softmax",
]:
    _image(
        f"Activation {_name}",
        lambda tf, k, x, name=_name: k.Activation(getattr(tf.nn, name) if name in ("relu6", "leaky_relu") else name)(x),
    )


def _hard_swish(tf: Any, x: Any) -> Any:
    return x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


_image("Conv2D(activation=swish)", _in_order(lambda k: _conv(k, activation="swish")))
_image(
    "Conv2D(activation=hswish fn)",
    lambda tf, k, x: _conv(k, activation=lambda value: _hard_swish(tf, value))(x),
)
_image("hard_swish TFOpLambda", lambda tf, k, x: _hard_swish(tf, x))
_image("tf op x*2+1", lambda tf, k, x: x * 2.0 + 1.0)
_image("slice x[:,1:]", lambda tf, k, x: x[:, 1:])
_image("tf.reduce_mean", lambda tf, k, x: tf.reduce_mean(x, axis=[1, 2]))


# Two branches
def _branches(name: str, join: str) -> None:
    _image(name, lambda tf, k, x: getattr(k, join)()([_conv(k)(x), _conv(k)(x)]))


for _name in ("Add", "Multiply", "Concatenate", "Subtract", "Average", "Maximum"):
    _branches(_name, _name)
_image("Add+ReLU (residual)", lambda tf, k, x: k.ReLU()(k.Add()([x, _conv(k)(x)])))


@model("Dot")
def _dot(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input(SHAPE)
    x = k.GlobalAveragePooling2D()(k.Conv2D(8, 3, padding="same")(given))
    y = k.Dot(axes=-1)([x, k.Dense(8)(x)])
    return keras.Model(given, k.Dense(4)(y))


@model("pre-activation BN (ResNetV2)")
def _preactivation(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input(SHAPE)
    x = k.Conv2D(8, 3, padding="same")(given)
    y = _conv(k)(k.ReLU()(_bn(k)(x)))
    x = k.ReLU()(_bn(k)(k.Add()([x, y])))
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling2D()(x)))


@model("SE block (Multiply+sigmoid)")
def _squeeze_excite(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input(SHAPE)
    x = k.Conv2D(8, 3, padding="same")(given)
    gate = k.Conv2D(8, 1, activation="sigmoid")(k.GlobalAveragePooling2D(keepdims=True)(x))
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling2D()(k.Multiply()([x, gate]))))


_image("Rescaling", _in_order(lambda k: k.Rescaling(1 / 127.5, -1.0), lambda k: _conv(k)), first=False)
_image(
    "Normalization",
    _in_order(lambda k: k.Normalization(mean=[0.1] * 8, variance=[2.0] * 8), lambda k: _conv(k)),
    first=False,
)


# Recurrent
_series("LSTM", _in_order(lambda k: k.LSTM(8)))
_series("LSTM unroll", _in_order(lambda k: k.LSTM(8, unroll=True)))
_series("GRU", _in_order(lambda k: k.GRU(8)))
_series("GRU unroll", _in_order(lambda k: k.GRU(8, unroll=True)))
_series("SimpleRNN", _in_order(lambda k: k.SimpleRNN(8)))
_series("Bidirectional LSTM", _in_order(lambda k: k.Bidirectional(k.LSTM(8))))


# Attention
_series("MultiHeadAttention", lambda tf, k, x: k.MultiHeadAttention(2, 4)(x, x))
_series("Attention", lambda tf, k, x: k.Attention()([x, x]))


@model("transformer block")
def _transformer(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input((STEPS, FEATURES))
    x = k.LayerNormalization()(k.Add()([given, k.MultiHeadAttention(2, 4)(given, given)]))
    y = k.Dense(FEATURES)(k.Dense(16, activation="gelu")(x))
    x = k.LayerNormalization()(k.Add()([x, y]))
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling1D()(x)))


# The rest
@model("Conv3D")
def _conv_3d(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input((6, 6, 6, 2))
    x = k.Conv3D(4, 3, padding="same", activation="relu")(given)
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling3D()(x)))


@model("Embedding")
def _embedding(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input((10,), dtype="int32")
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling1D()(k.Embedding(32, 8)(given))))


@model("custom layer")
def _custom(tf: Any, keras: Any) -> Any:
    class Doubled(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """A dense layer of the user's own."""

        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight("kernel", (int(shape[-1]), 16))

        def call(self, x: Any) -> Any:
            return tf.matmul(x, self.kernel) * 2.0

    k = keras.layers
    given = keras.Input((16,))
    return keras.Model(given, k.Dense(4)(Doubled()(k.Dense(16, activation="relu")(given))))


@model("nested Sequential")
def _nested_sequential(tf: Any, keras: Any) -> Any:
    k = keras.layers
    inner = keras.Sequential([k.Input(SHAPE), k.Conv2D(8, 3, padding="same"), _bn(k), k.ReLU()])
    return keras.Sequential([k.Input(SHAPE), inner, k.GlobalAveragePooling2D(), k.Dense(4)])


@model("nested functional")
def _nested_functional(tf: Any, keras: Any) -> Any:
    k = keras.layers
    inside = keras.Input(SHAPE)
    y = k.GlobalAveragePooling2D()(k.Conv2D(8, 3, padding="same", activation="relu")(inside))
    inner = keras.Model(inside, k.Dense(8)(y))
    given = keras.Input(SHAPE)
    return keras.Model(given, k.Dense(4)(inner(given)))


@model("shared layer (used twice)")
def _shared(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input(SHAPE)
    layer = k.Conv2D(8, 3, padding="same", activation="relu")
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling2D()(layer(layer(given)))))


@model("multi-input multi-output")
def _many_ends(tf: Any, keras: Any) -> Any:
    k = keras.layers
    one, other = keras.Input(SHAPE), keras.Input(SHAPE)
    x = k.Concatenate()([k.Conv2D(8, 3, padding="same")(one), k.Conv2D(8, 3, padding="same")(other)])
    x = k.GlobalAveragePooling2D()(x)
    return keras.Model([one, other], [k.Dense(4)(x), k.Dense(2)(x)])


@model("dynamic H,W (None,None,3)")
def _dynamic(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input((None, None, 3))
    return keras.Model(given, k.Dense(4)(k.GlobalAveragePooling2D()(k.Conv2D(8, 3, padding="same")(given))))


@model("subclassed model")
def _subclassed(tf: Any, keras: Any) -> Any:
    class Small(keras.Model):  # type: ignore[misc, name-defined]
        """A model without a graph of layers."""

        def __init__(self) -> None:
            super().__init__()
            self.conv = keras.layers.Conv2D(8, 3, padding="same", activation="relu")
            self.pool = keras.layers.GlobalAveragePooling2D()
            self.dense = keras.layers.Dense(4)

        def call(self, x: Any) -> Any:
            return self.dense(self.pool(self.conv(x)))

    made = Small()
    made(tf.zeros((1, *SHAPE)))
    return made


@model("two consecutive ReLU / Dense no act")
def _two_relu(tf: Any, keras: Any) -> Any:
    k = keras.layers
    given = keras.Input((16,))
    x = k.ReLU()(k.ReLU()(k.Dense(16)(given)))
    return keras.Model(given, k.Softmax()(k.Dense(4)(k.Dense(8)(x))))


@model("mixed dtype float16 model")
def _half(tf: Any, keras: Any) -> Any:
    k = keras.layers
    policy = keras.mixed_precision.Policy("mixed_float16")
    given = keras.Input(SHAPE)
    x = k.Conv2D(8, 3, padding="same", activation="relu", dtype=policy)(given)
    x = k.GlobalAveragePooling2D(dtype=policy)(x)
    return keras.Model(given, k.Dense(4, dtype="float32")(x))


@model("app:MobileNet")
def _mobilenet(tf: Any, keras: Any) -> Any:
    return keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=10)


@model("mlperf:ResNet8")
def _resnet8(tf: Any, keras: Any) -> Any:
    k = keras.layers

    def block(x: Any, filters: int, stride: int) -> Any:
        y = k.ReLU()(_bn(k)(k.Conv2D(filters, 3, stride, padding="same")(x)))
        y = _bn(k)(k.Conv2D(filters, 3, padding="same")(y))
        if stride > 1:
            x = k.Conv2D(filters, 1, stride, padding="same")(x)
        return k.ReLU()(k.Add()([x, y]))

    given = keras.Input((32, 32, 3))
    x = k.ReLU()(_bn(k)(k.Conv2D(16, 3, padding="same")(given)))
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        x = block(x, filters, stride)
    x = k.Flatten()(k.AveragePooling2D(8)(x))
    return keras.Model(given, k.Dense(10, activation="softmax")(x))


KINDS = tuple(MODELS)


def _application(name: str, size: int, **options: Any) -> str:
    MODELS[f"whole:{name}"] = lambda tf, keras: getattr(keras.applications, name)(
        input_shape=(size, size, 3), weights=None, classes=10, **options
    )
    return f"whole:{name}"


# Whole networks with fresh weights, on small inputs.
APPLICATIONS = (
    _application("MobileNetV2", 64),
    _application("MobileNetV3Small", 64),
    _application("EfficientNetB0", 64),
    _application("ResNet50V2", 64),
)
