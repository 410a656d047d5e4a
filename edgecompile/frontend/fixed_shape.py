"""Gives a model inputs of the shapes that a user fixes, where it leaves sizes open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgecompile.core.errors import bad_input
from edgecompile.core.input_shape import InputShape
from edgecompile.frontend.shape_fit import fitting
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tensorflow, tf_keras


def with_fixed_shapes(model: Any, names: Sequence[str], shapes: Sequence[InputShape], file: str) -> Any:
    """The same layers with the same weights, called on inputs of these shapes; names of inputs and outputs stay.

    ``names``: of the model's inputs, in their order. Raises BadInputError EC248 for shapes that do not fit the model,
    and for those that one of its layers cannot take.
    """
    known = {name: tuple(tensor.shape) for name, tensor in zip(names, model.inputs, strict=True)}
    given = fitting(known, shapes, file)
    wanted = {name: (shape[0], *given.get(name, shape[1:])) for name, shape in known.items()}
    if wanted == known:
        return model
    try:
        return _called(model, wanted)
    except Exception as reason:
        raise bad_input(
            "EC248",
            "a layer of the model cannot take inputs of these shapes",
            file,
            (f"found: {', '.join(str(shape) for shape in shapes)}", first_line(reason)),
            ("give a shape of the kind that the model was trained on",),
        ) from None


def _called(model: Any, shapes: Mapping[str, tuple[int | None, ...]]) -> Any:
    """The model's own graph walked again: no layer is made anew, and none ends up in a nested model."""
    is_keras3 = isinstance(model, keras3().Model)
    keras, tree = (keras3(), keras3().tree) if is_keras3 else (tf_keras(), tensorflow().nest)
    graph = getattr(model, "_functional", None) or model
    inputs = [
        keras.Input(batch_shape=shape, dtype=tensor.dtype, name=name)
        for (name, shape), tensor in zip(shapes.items(), model.inputs, strict=True)
    ]
    packed = tree.pack_sequence_as(graph.input, inputs)
    return keras.Model(packed, graph.call(packed), name=model.name)
