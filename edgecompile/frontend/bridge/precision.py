"""A Keras 3 model in float32, whatever precision it was trained in: devices quantize from float32."""

from __future__ import annotations

from typing import Any

from edgecompile.libs.keras import keras3

OTHER_FLOATS = frozenset({"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"})


def other_precision(model: Any) -> str | None:
    """The first dtype policy or input dtype of the model that is not float32, None when all are."""
    found = [layer.dtype_policy.name for layer in model._flatten_layers()]
    found += [tensor.dtype for tensor in model.inputs]
    return next((name for name in found if name in OTHER_FLOATS), None)


def as_float32(model: Any) -> Any:
    """The same architecture with every dtype policy float32, and the variables' values converted."""
    saving = keras3().saving
    plain = _replaced(saving.serialize_keras_object(model))
    # Deserialized from our own serialization of a model that is open already: nothing new can run.
    copy = saving.deserialize_keras_object(plain, safe_mode=False)
    for mine, theirs in zip(copy.weights, model.weights, strict=True):
        mine.assign(keras3().ops.cast(theirs.value, mine.dtype))
    return copy


def _replaced(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _replaced(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return type(plain)(_replaced(item) for item in plain)
    return "float32" if isinstance(plain, str) and plain in OTHER_FLOATS else plain
