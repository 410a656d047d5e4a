"""Load a trained model as tf_keras, whatever wrote it. Runs in the Keras process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.input_shape import InputShape
from edgecompile.frontend.bridge.cross import cross, float32_note
from edgecompile.frontend.fixed_shape import with_fixed_shapes
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.frontend.keras2_model import as_float32, other_precision, with_lists
from edgecompile.frontend.model_checks import check_inputs, check_weights, input_names, with_graph
from edgecompile.frontend.open_keras import open_keras
from edgecompile.frontend.source import ModelSource
from edgecompile.libs.keras import keras3


@dataclass(frozen=True, kw_only=True)
class KerasModel:
    """A loaded model. ``model`` is a built ``tf_keras.Model`` that takes a tensor or a list of tensors in the order of
    ``inputs`` and gives a tensor or a list in the order of ``outputs``.

    ``parameters``: numbers in all its variables. ``bridge_difference``: for a model of Keras 3, the largest
    difference of the outputs (before a last softmax) over the largest output; None: it was Keras 2 already.
    ``diagnostics``: notes and warnings, never errors.
    """

    model: Any
    parameters: int
    inputs: tuple[InputSpec, ...]
    outputs: tuple[InputSpec, ...]
    bridge_difference: float | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def load(
    source: ModelSource, custom: str | None, trust: bool, base: Path, shapes: Sequence[InputShape] = ()
) -> KerasModel:
    """Open the model, carry it over to tf_keras, check it.

    ``custom``: module name or .py file with the user's layers and functions, read from ``base``. ``trust``: code
    inside the file (Lambda layers, imports that it asks for, file operations) may run. ``shapes``: of inputs that the
    model leaves open.
    Raises BadInputError with EC201 to EC209, EC230 to EC243 and EC248.
    """
    opened, notes = open_keras(source, custom, trust, base)
    model = with_graph(opened, source.name)
    if shapes:
        model = with_fixed_shapes(model, input_names(model), shapes, source.name)
    check_inputs(model, source.name)
    check_weights(model, source.name)
    difference = None
    if isinstance(model, keras3().Model):
        crossed = cross(model, source.name)
        model, names, difference = crossed.model, crossed.output_names, crossed.difference
        notes += crossed.diagnostics
    else:
        names = _output_names(model)
        model, changed = _plain_keras2(model, source.name)
        notes += changed
    return KerasModel(
        model=model,
        parameters=int(model.count_params()),
        inputs=_specs(model.input_names, model.inputs),
        outputs=_specs(names, model.outputs),
        bridge_difference=difference,
        diagnostics=notes,
    )


def _plain_keras2(model: Any, name: str) -> tuple[Any, tuple[Diagnostic, ...]]:
    precision = other_precision(model)
    if precision is None:
        return with_lists(model), ()
    return with_lists(as_float32(model)), (float32_note(precision, name),)


def _output_names(model: Any) -> list[str]:
    """Keys where a tf_keras model's outputs are a dict, else the names of the layers that make them."""
    if isinstance(model.output, dict):
        return sorted(model.output)
    return list(model.output_names)


def _specs(names: Iterable[str], tensors: Iterable[Any]) -> tuple[InputSpec, ...]:
    return tuple(
        InputSpec(name=name, shape=tuple(tensor.shape), dtype=tensor.dtype.name)
        for name, tensor in zip(names, tensors, strict=True)
    )
