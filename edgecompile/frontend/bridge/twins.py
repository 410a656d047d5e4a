"""For each Keras 3 layer, the tf_keras layers that compute the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.frontend.bridge.activations import NATIVE, activation_layer, activation_name
from edgecompile.frontend.bridge.hosted import hosted_layer
from edgecompile.frontend.bridge.twin_config import NoTwin, twin_config
from edgecompile.libs.keras import tf_keras

# Layers that change their input in training only; Keras 2's namesakes do so by default, hence they are left out.
_AUGMENTATION = "keras.src.layers.preprocessing.image_preprocessing"
AUGMENTATIONS = frozenset({"MixUp", "CutMix", "AugMix", "RandAugment"})


@dataclass(frozen=True)
class Twin:
    """``layers`` in the order of their application; none: the identity. ``kind``: twin, hosted or dropped."""

    source: Any
    layers: tuple[Any, ...]
    kind: str = "twin"

    def copy_weights(self) -> None:
        """Give the first layer the source's values. Raises NoTwin when the variables differ in number or shape."""
        if self.kind != "twin" or not self.layers:
            return
        if type(self.source).__name__ == "Normalization":
            return  # its mean and variance are constants of the twin
        values = [np.asarray(variable) for variable in self.source.weights]
        found = [tuple(variable.shape) for variable in self.layers[0].weights]
        if [value.shape for value in values] != found:
            raise NoTwin(f"variables {[value.shape for value in values]} in Keras 3, {found} in Keras 2")
        self.layers[0].set_weights(values)


def make_twin(layer: Any, name: str) -> Twin:
    """The twin of a Keras 3 layer; where Keras 2 has none, a tf_keras layer that runs the Keras 3 layer itself.

    Raises ValueError for a layer that has no meaning outside training.
    """
    if type(layer).__module__.startswith(_AUGMENTATION) and type(layer).__name__ == "RandomCrop":
        # Keras 3.15 returns the whole image then, while the shapes behind it are those of the crop.
        raise ValueError("`RandomCrop` crops in training only, and the layers behind it get another shape")
    if is_augmentation(layer):
        return Twin(layer, (), "dropped")
    try:
        return Twin(layer, _layers(layer, name))
    except (NoTwin, TypeError, ValueError):  # the latter two: Keras 2 refuses the config
        return host(layer, name)


def host(layer: Any, name: str) -> Twin:
    """The Keras 3 layer inside a tf_keras one."""
    return Twin(layer, (hosted_layer()(layer, name=name, trainable=layer.trainable),), "hosted")


def is_augmentation(layer: Any) -> bool:
    """The layer is the identity outside training."""
    name = type(layer).__name__
    return type(layer).__module__.startswith(_AUGMENTATION) and (name in AUGMENTATIONS or name.startswith("Random"))


def _layers(layer: Any, name: str) -> tuple[Any, ...]:
    """Raises NoTwin."""
    kind = type(layer).__name__
    if not type(layer).__module__.startswith("keras.src.layers."):
        raise NoTwin(f"`{kind}` is not one of Keras's own layers")
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(layer, name)
    twin_class = getattr(tf_keras().layers, kind, None)
    if twin_class is None:
        raise NoTwin(f"Keras 2 has no layer `{kind}`")
    config = twin_config(layer, twin_class)
    function = getattr(layer, "activation", None)
    if _splits(config, function):
        config["activation"] = "linear"
        main = twin_class(**config, name=name)
        return (main, activation_layer(function, f"{name}_{activation_name(function) or 'activation'}"))
    return (twin_class(**config, name=name),)


def _splits(config: dict[str, Any], function: Any) -> bool:
    """An activation that Keras 2 lacks becomes a layer of its own, which TF-MOT can pass over; not within RNNs."""
    if "activation" not in config or "recurrent_activation" in config or "recurrent_initializer" in config:
        return False
    return function is not None and activation_name(function) not in NATIVE


def _activation(layer: Any, name: str) -> tuple[Any, ...]:
    return (activation_layer(layer.activation, name),)


def _normalization(layer: Any, name: str) -> tuple[Any, ...]:
    """With mean and variance as constants, so that a clone needs no adapt()."""
    mean, variance = (np.asarray(value, dtype=np.float32) for value in (layer.mean, layer.variance))
    kept = {key: value for key, value in twin_config(layer, tf_keras().layers.Normalization).items()}
    axes = kept["axis"]
    if axes is None or (isinstance(axes, (list, tuple)) and not axes):
        constants: dict[str, Any] = {"mean": float(mean.reshape(-1)[0]), "variance": float(variance.reshape(-1)[0])}
    else:
        sizes = [layer._build_shapes_dict["input_shape"][axis] for axis in np.atleast_1d(axes)]
        constants = {"mean": mean.reshape(sizes).tolist(), "variance": variance.reshape(sizes).tolist()}
    return (tf_keras().layers.Normalization(**{**kept, **constants}, name=name),)


def _bidirectional(layer: Any, name: str) -> tuple[Any, ...]:
    """Keras 2 makes the backward layer from the forward one's config, unless it is given."""
    forward, backward = layer.forward_layer, layer.backward_layer
    inner = _inner(forward)
    differs = _comparable(forward) != _comparable(backward)
    other = _inner(backward) if differs else None
    bidirectional = tf_keras().layers.Bidirectional
    return (bidirectional(inner, merge_mode=layer.merge_mode, backward_layer=other, name=name),)


def _comparable(layer: Any) -> dict[str, Any]:
    return {key: value for key, value in layer.get_config().items() if key not in ("name", "go_backwards")}


def _time_distributed(layer: Any, name: str) -> tuple[Any, ...]:
    return (tf_keras().layers.TimeDistributed(_inner(layer.layer), name=name),)


def _rnn(layer: Any, name: str) -> tuple[Any, ...]:
    config = twin_config(layer, tf_keras().layers.RNN)
    return (tf_keras().layers.RNN(**{**config, "cell": _inner(layer.cell)}, name=name),)


def _stacked_cells(layer: Any, name: str) -> tuple[Any, ...]:
    return (tf_keras().layers.StackedRNNCells([_inner(cell) for cell in layer.cells], name=name),)


def _lambda(layer: Any, name: str) -> tuple[Any, ...]:
    """Reached only for code that is trusted: the user's own, or a file opened with ``--trust``."""
    return (tf_keras().layers.Lambda(layer.function, arguments=layer.arguments, name=name),)


def _inner(layer: Any) -> Any:
    """The one twin of a layer inside a wrapper; activations stay inside it as functions."""
    kind = type(layer).__name__
    if not type(layer).__module__.startswith("keras.src.layers."):
        raise NoTwin(f"`{kind}` inside a wrapper is not one of Keras's own layers")
    if kind in _SPECIAL:
        made = _SPECIAL[kind](layer, layer.name)
        return made[0]
    twin_class = getattr(tf_keras().layers, kind, None)
    if twin_class is None:
        raise NoTwin(f"Keras 2 has no layer `{kind}`")
    return twin_class(**twin_config(layer, twin_class), name=layer.name)


_SPECIAL: dict[str, Callable[[Any, str], tuple[Any, ...]]] = {
    "Activation": _activation,
    "Normalization": _normalization,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _time_distributed,
    "RNN": _rnn,
    "StackedRNNCells": _stacked_cells,
    "Lambda": _lambda,
}


def call_twin(twin: Twin, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply a twin to tf_keras tensors, given the arguments of the Keras 3 call."""
    first, others = _bound(twin.source, args, kwargs)
    if not twin.layers:
        return _as_float(first, f"{twin.source.name}_cast")
    main, *after = twin.layers
    if twin.kind == "twin":
        known = accepted_call_names(main)
        others = {key: value for key, value in others.items() if key in known and value is not None}
    outputs = main(first, **others)
    twin.copy_weights()
    for layer in after:
        outputs = layer(outputs)
    return outputs


def accepted_call_names(layer: Any) -> frozenset[str]:
    """Keywords of a tf_keras layer's call; masks that it does not take travel on the tensors themselves."""
    import inspect

    return frozenset(inspect.signature(layer.call).parameters) - {"training"}


def _bound(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The first argument, and the others by name: parameter names of the first differ between the generations."""
    import inspect

    bound = inspect.signature(layer.call).bind(*args, **{k: v for k, v in kwargs.items() if k != "training"})
    named: dict[str, Any] = {}
    for key, value in bound.arguments.items():
        kind = bound.signature.parameters[key].kind
        named.update(value if kind is inspect.Parameter.VAR_KEYWORD else {key: value})
    first = next(iter(named))
    return named.pop(first), named


def _as_float(tensor: Any, name: str) -> Any:
    """Augmentation layers turn integers into floats even where they change nothing else."""
    from edgecompile.frontend.bridge.op_layer import apply_op

    if tensor.dtype.is_floating:
        return tensor
    return apply_op("tf.cast", {}, (tensor, "float32"), {}, name)
