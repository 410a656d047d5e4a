"""What a model must have before it can be compiled: a graph, known shapes, numbers for inputs, finite weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import BadInputError, EdgecompileError, bad_input
from edgecompile.core.input_shape import InputShape
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tensorflow, tf_keras


def with_graph(model: Any, name: str) -> Any:
    """The model itself when its inputs are known; a subclassed one that was built, inside a functional model.

    Raises BadInputError EC237 when nothing says what the model's input is.
    """
    if getattr(model, "inputs", None):
        return model
    is_keras3 = isinstance(model, keras3().Model)
    try:
        wrapped = _around_keras3(model) if is_keras3 else _around_keras2(model)
    except Exception as reason:
        raise _without_graph(model, name, first_line(reason)) from None
    if wrapped is None:
        raise _without_graph(model, name)
    return wrapped


def check_inputs(model: Any, name: str) -> None:
    """Raises BadInputError: EC234 a dimension other than the batch is open, EC235 an input of strings; all at once."""
    found = list(_input_faults(model, name))
    if found:
        raise BadInputError(*found)


def check_weights(model: Any, name: str) -> None:
    """Raises BadInputError EC236, one diagnostic for each layer with NaN or infinite weights."""
    found = list(_weight_faults(model, name))
    if found:
        raise BadInputError(*found)


def _around_keras3(model: Any) -> Any:
    """Keras 3 notes the shapes that a model was built with."""
    shapes = list((getattr(model, "_build_shapes_dict", None) or {}).values())
    if not model.built or len(shapes) != 1 or not _is_shape(shapes[0]):
        return None
    x = keras3().Input(batch_shape=(None, *shapes[0][1:]))
    return keras3().Model(x, model(x), name=model.name)


def _around_keras2(model: Any) -> Any:
    """tf_keras notes the signature of the first call, and a Sequential model the shape it was built with."""
    keras = tf_keras()
    shape = getattr(model, "_build_input_shape", None)
    if isinstance(model, keras.Sequential) and shape is not None and model.built:
        x = keras.Input(batch_shape=(None, *tuple(shape)[1:]))
        return keras.Model(x, model(x), name=model.name)
    specification = model.save_spec()
    if specification is None:
        return None
    (first, *others), _ = specification
    if others:
        return None

    def input_of(spec: Any) -> Any:
        return keras.Input(batch_shape=(None, *spec.shape[1:]), dtype=spec.dtype)

    x = tensorflow().nest.map_structure(input_of, first)
    return keras.Model(x, model(x), name=model.name)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(size is None or isinstance(size, int) for size in value)


def _without_graph(model: Any, name: str, reason: str = "") -> EdgecompileError:
    kind = "Sequential model" if type(model).__name__ == "Sequential" else f"subclassed model `{type(model).__name__}`"
    built = bool(getattr(model, "built", False))
    notes = ["it has no `Input` layer" + ("" if built else ", and was never built: its weights do not exist yet")]
    return bad_input(
        "EC237",
        f"the {kind} does not say what its input is",
        name,
        notes + ([reason] if reason else []),
        (
            "begin it with `keras.Input(shape)`",
            "or wrap it: `x = keras.Input(shape); model = keras.Model(x, model(x))`",
        ),
    )


def _input_faults(model: Any, name: str) -> Iterator[Diagnostic]:
    for tensor, label in zip(model.inputs, input_names(model), strict=True):
        shape = tuple(tensor.shape)
        dtype = getattr(tensor.dtype, "name", str(tensor.dtype))
        if dtype == "string":
            yield Diagnostic(
                code="EC235",
                message=f"input `{label}` takes strings",
                location=Location(file=name, layer=label),
                notes=("allowed: numbers; found dtype `string`",),
                help=("leave text handling out of the model: give it the numbers that the text is mapped to",),
            )
        if any(size is None for size in shape[1:]):
            dims = ", ".join("?" if size is None else str(size) for size in shape)
            yield Diagnostic(
                code="EC234",
                message=f"input `{label}` has no fixed shape",
                location=Location(file=name, layer=label),
                notes=(f"only the batch size may be open; found [{dims}]",),
                help=_fixed_shape_help(label, shape, len(model.inputs)),
            )


def _fixed_shape_help(name: str, shape: tuple[int | None, ...], inputs: int) -> tuple[str, ...]:
    sizes = tuple(96 if size is None else size for size in shape[1:])
    example = InputShape(sizes=sizes, name=name if inputs > 1 else None)
    return (
        f"fix it for the device: `--input-shape {example}`, or `input_shape` under [project]",
        f"or in the model itself: `x = keras.Input({sizes}); model = keras.Model(x, model(x))`",
    )


def input_names(model: Any) -> list[str]:
    """In the order of the model's inputs."""
    names = getattr(model, "input_names", None)
    return list(names) if names else [tensor.name for tensor in model.inputs]


def _weight_faults(model: Any, name: str) -> Iterator[Diagnostic]:
    for layer in model._flatten_layers(recursive=True, include_self=True):
        # Each variable once, with the innermost layer that holds it.
        own = (
            layer._trainable_weights + layer._non_trainable_weights
            if hasattr(layer, "_trainable_weights")
            else (layer._trainable_variables + layer._non_trainable_variables)
        )
        bad = [(variable.name, _not_finite(variable)) for variable in own]
        bad = [(label, count) for label, count in bad if count]
        if bad:
            yield Diagnostic(
                code="EC236",
                message=f"layer `{layer.name}` has weights that are not finite numbers",
                location=Location(file=name, layer=layer.name),
                notes=tuple(f"`{label}`: {count} NaN or infinite" for label, count in bad),
                help=("the training diverged: lower the learning rate, and take an earlier checkpoint",),
            )


def _not_finite(variable: Any) -> int:
    try:
        values = np.asarray(variable)
    except (TypeError, ValueError, NotImplementedError):
        return 0
    if values.dtype.kind != "f":
        return 0
    return int(np.count_nonzero(~np.isfinite(values.astype(np.float32, copy=False))))
