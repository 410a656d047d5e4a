"""Brings a tf_keras model into the form that later stages expect: float32, lists of inputs and outputs."""

from __future__ import annotations

from typing import Any

from edgecompile.libs.keras import tf_keras

OTHER_FLOATS = frozenset({"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"})


def other_precision(model: Any) -> str | None:
    """The first dtype policy or input dtype that is not float32, None when all are."""
    found = [layer.dtype_policy.name for layer in model._flatten_layers(include_self=False)]
    found += [tensor.dtype.name for tensor in model.inputs]
    return next((name for name in found if name in OTHER_FLOATS), None)


def as_float32(model: Any) -> Any:
    """The same architecture with every dtype policy float32, and the variables' values converted."""
    copy = type(model).from_config(_replaced(model.get_config()))
    copy.set_weights([value.astype("float32") if value.dtype.kind == "f" else value for value in model.get_weights()])
    return copy


def with_lists(model: Any) -> Any:
    """A model that takes and gives a tensor or a list of tensors, where the given one may use dicts."""
    structures = (model.input, model.output)
    if not any(isinstance(structure, (dict, tuple)) or _nested(structure) for structure in structures):
        return model
    return tf_keras().Model(inputs=list(model.inputs), outputs=list(model.outputs), name=model.name)


def _nested(structure: Any) -> bool:
    return isinstance(structure, list) and any(isinstance(item, (list, tuple, dict)) for item in structure)


def _replaced(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _replaced(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return type(plain)(_replaced(item) for item in plain)
    return "float32" if isinstance(plain, str) and plain in OTHER_FLOATS else plain
