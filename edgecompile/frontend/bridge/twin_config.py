"""The config of a Keras 3 layer as the tf_keras layer of the same name takes it."""

from __future__ import annotations

import inspect
from typing import Any

from edgecompile.frontend.bridge.activations import activation_function
from edgecompile.libs.keras import keras3, tf_keras

# Same meaning under another name (Keras 3: Keras 2), by class.
RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
# What does not change what an inference computes, so that its loss in Keras 2 is no loss.
WITHOUT_EFFECT = frozenset(
    {"seed", "use_cudnn", "flash_attention", "synchronized", "lora_alpha", "autocast", "build_config", "dtype"}
)
ACTIVATIONS = ("activation", "recurrent_activation")
_PARTS = {"_initializer": "initializers", "_regularizer": "regularizers", "_constraint": "constraints"}


class NoTwin(Exception):
    """Keras 2 has no layer that computes the same; the text says why."""


def twin_config(layer: Any, twin_class: Any) -> dict[str, Any]:
    """Keywords for ``twin_class``, without ``name`` and ``dtype``. Raises NoTwin when an option has no counterpart."""
    accepted = accepted_names(twin_class)
    if issubclass(twin_class, tf_keras().layers.RNN):
        accepted |= {"zero_output_for_mask"}  # taken through **kwargs there
    defaults = default_values(type(layer))
    renamed = RENAMED.get(type(layer).__name__, {})
    config: dict[str, Any] = {}
    for key, value in layer.get_config().items():
        target = renamed.get(key, key)
        if key in ("name", "dtype"):
            continue
        if target in accepted:
            config[target] = _carried(layer, key, value)
        elif key not in WITHOUT_EFFECT and not _is_default(value, defaults.get(key)):
            raise NoTwin(f"`{type(layer).__name__}` has no option `{key}` in Keras 2, found {value!r}")
    return config


def accepted_names(keras_class: Any) -> frozenset[str]:
    """Keyword names that a layer class takes, those its bases take through ``**kwargs`` among them."""
    names: set[str] = {"trainable"}
    for one in keras_class.__mro__:
        if "__init__" not in vars(one):
            continue
        parameters = inspect.signature(one.__init__).parameters.values()
        names |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return frozenset(names)


def default_values(keras_class: Any) -> dict[str, Any]:
    """Default values of a class's keywords, the nearest class's first."""
    defaults: dict[str, Any] = {}
    for one in reversed(keras_class.__mro__):
        if "__init__" in vars(one):
            parameters = inspect.signature(one.__init__).parameters.values()
            defaults.update({p.name: p.default for p in parameters if p.default is not p.empty})
    return defaults


def _is_default(value: Any, default: Any) -> bool:
    return value is None or value is False or value == default or value == "channels_last"


def _carried(layer: Any, key: str, value: Any) -> Any:
    """One option's value: activations and initializers by Keras 2's names, everything else as it is."""
    if key in ACTIVATIONS:
        return activation_function(getattr(layer, key, None) or keras3().activations.get(value))
    module = next((name for suffix, name in _PARTS.items() if key.endswith(suffix)), None)
    return value if module is None else _part(module, value)


def _part(module: str, value: Any) -> Any:
    """An initializer, regularizer or constraint by Keras 2's class of the same name.

    Initializers matter to passes that clone the model and to nothing else, as variables are copied; so one that
    Keras 2 lacks becomes the default. A regularizer or constraint that it lacks is training-only too: dropped.
    """
    if not isinstance(value, dict):
        return value
    found = getattr(getattr(tf_keras(), module), value["class_name"], None)
    fallback = "glorot_uniform" if module == "initializers" else None
    if found is None or value.get("module") not in (f"keras.{module}", None):
        return fallback
    accepted = accepted_names(found)
    inner = {key: item for key, item in value["config"].items() if key in accepted and not isinstance(item, dict)}
    try:
        return found(**inner)
    except (TypeError, ValueError):
        return fallback
