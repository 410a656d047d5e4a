"""Keras 3's activations in tf_keras: natively where they are the same, else as their own layer or function.

Several names mean different things in the two (source: both libraries' sources, Keras 3.15 and tf_keras 2.20):
``hard_sigmoid`` is relu6(x + 3) / 6 in Keras 3 and clip(0.2 x + 0.5) in Keras 2, ``leaky_relu`` has slope 0.2 and 0.3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from edgecompile.frontend.bridge.op_layer import op_layer
from edgecompile.libs.keras import keras3, tf_keras

# Keras 3's name to Keras 2's, where both compute the same function with the same defaults.
NATIVE = {
    **{name: name for name in ("linear", "relu", "elu", "selu", "softplus", "softsign", "tanh", "sigmoid")},
    **{name: name for name in ("exponential", "softmax", "mish", "gelu")},
    "silu": "swish",
    "swish": "swish",
}


def activation_name(function: Any) -> str | None:
    """The name of one of Keras 3's own activations, None for a user's function."""
    name = getattr(function, "__name__", "")
    return name if name and getattr(keras3().activations, name, None) is function else None


def activation_layer(function: Any, name: str) -> Any:
    """A tf_keras layer that applies a Keras 3 activation function."""
    layers, known = tf_keras().layers, activation_name(function)
    if known in NATIVE:
        return layers.Activation(NATIVE[known], name=name)
    if known == "relu6":
        return layers.ReLU(max_value=6.0, name=name)
    if known == "leaky_relu":
        return layers.LeakyReLU(alpha=0.2, name=name)
    if known is not None:
        return op_layer()(op=f"keras.activations.{known}", name=name)
    return layers.Activation(_user_function(function), name=name)


def activation_function(function: Any) -> Any:
    """What a tf_keras layer takes as ``activation`` for a Keras 3 activation function."""
    known = activation_name(function)
    if known is None:
        return _user_function(function)
    return NATIVE.get(known) or _registered(known)


@cache
def _registered(name: str) -> Callable[[Any], Any]:
    """A Keras 3 activation under a name that tf_keras configs can hold: ``edgecompile>keras3_NAME``."""
    original = getattr(keras3().activations, name)

    def activation(x: Any) -> Any:
        return original(x)

    activation.__name__ = activation.__qualname__ = f"keras3_{name}"
    return tf_keras().utils.register_keras_serializable(package="edgecompile")(activation)  # type: ignore[no-any-return]


def _user_function(function: Any) -> Any:
    """The user's function, known to tf_keras by its name so that clones of the model find it."""
    name = getattr(function, "__name__", type(function).__name__)
    tf_keras().utils.get_custom_objects().setdefault(name, function)
    return function
