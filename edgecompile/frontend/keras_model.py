"""Load a trained model as tf_keras, whatever wrote it. Runs in the Keras process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.custom import Custom, read_custom
from edgecompile.frontend.entry import call_entry
from edgecompile.frontend.keras_file import KerasFile, read_keras_file, readable_copy
from edgecompile.frontend.source import ModelSource
from edgecompile.libs.keras import keras3, tf_keras


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """One input or output. ``shape`` begins with the batch size (None: any); ``dtype`` is a NumPy name."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


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


def load(source: ModelSource, custom: str | None, trust: bool, base: Path) -> KerasModel:
    """Open the model, carry it over to tf_keras, check it.

    ``custom``: module name or .py file with the user's layers and functions, read from ``base``. ``trust``: code
    inside the file (Lambda layers, imports that it asks for, file operations) may run.
    Raises BadInputError with EC201 to EC209 and EC230 to EC243.
    """
    model = _open(source, custom, trust, base)
    return KerasModel(
        model=model,
        parameters=model.count_params(),
        inputs=_specs(model.input_names, model.inputs),
        outputs=_specs(model.output_names, model.outputs),
    )


def _open(source: ModelSource, custom: str | None, trust: bool, base: Path) -> Any:
    if source.kind == "python":
        return call_entry(source, base)
    if source.kind == "saved_model":
        return tf_keras().models.load_model(source.path, compile=False)
    file = read_keras_file(source)
    return _load_file(file, read_custom(custom, base, file.generation), trust)


def _load_file(file: KerasFile, custom: Custom, trust: bool) -> Any:
    keras = tf_keras() if file.generation == 2 else keras3()
    objects: Mapping[str, Any] = custom.keras2 if file.generation == 2 else custom.keras3
    try:
        with readable_copy(file, file.config) as path:
            return keras.models.load_model(str(path), custom_objects=dict(objects), compile=False)
    except EdgecompileError:
        raise
    except Exception as reason:
        raise bad_input("EC241", f"Keras cannot load `{file.path.name}`", str(file.path), (str(reason),)) from None


def _specs(names: Iterable[str], tensors: Iterable[Any]) -> tuple[InputSpec, ...]:
    return tuple(
        InputSpec(name=name, shape=tuple(tensor.shape), dtype=tensor.dtype.name)
        for name, tensor in zip(names, tensors, strict=True)
    )
