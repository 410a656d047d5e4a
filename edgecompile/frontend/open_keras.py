"""From a model source to a live Keras model of either generation: scanned, deserialized, mended if need be."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.custom import Custom, read_custom
from edgecompile.frontend.entry import call_entry
from edgecompile.frontend.keras_file import KerasFile, read_keras_file, readable_copy
from edgecompile.frontend.repair import repair
from edgecompile.frontend.saved_model import (
    keras_configs,
    load_keras_part,
    load_signature,
    read_saved_model,
    refuse_operators,
)
from edgecompile.frontend.scan import scan
from edgecompile.frontend.source import ModelSource
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tensorflow, tf_keras

# Layers that Keras 2 opens by names which `tf_keras.layers` does not list.
_LEGACY_LAYERS = frozenset({"BatchNormalizationV1", "BatchNormalizationV2", "CuDNNLSTM", "CuDNNGRU", "LSTMV2", "GRUV2"})

Opened = tuple[Any, tuple[Diagnostic, ...]]


def open_keras(source: ModelSource, custom: str | None, trust: bool, base: Path) -> Opened:
    """A Keras 2 or Keras 3 model, and notes on what was mended.

    Raises BadInputError: EC201, EC208 for the file; EC207, EC209 for an entry point; EC230, EC231, EC233 for
    what the file would run; EC232 for the custom module; EC241, EC242 when Keras or TensorFlow refuses.
    """
    if source.kind == "python":
        return call_entry(source, base), ()
    if source.kind == "saved_model":
        return _saved_model(source, custom, trust, base), ()
    file = read_keras_file(source)
    objects = read_custom(custom, base, file.generation)
    _scan(file.config, file.generation, objects, trust, source.name)
    return _file(file, objects, trust, source.name)


def _scan(config: dict[str, Any], generation: int, objects: Custom, trust: bool, name: str) -> None:
    keras = tf_keras() if generation == 2 else keras3()
    functions = {*dir(keras.activations), *(dir(keras.ops) if generation == 3 else _extra_activations())}
    functions |= {layer for layer in dir(keras.layers) if layer.endswith("ReLU")}
    scan(
        config,
        file=name,
        trust=trust,
        known=objects.names(generation),
        layers=frozenset(dir(keras.layers)) | _LEGACY_LAYERS,
        functions=frozenset(functions),
    )


def _file(file: KerasFile, objects: Custom, trust: bool, name: str) -> Opened:
    """First as the file is; when Keras refuses it, with the repairs that real files need."""
    try:
        return _load(file, file.config, objects, trust), ()
    except EdgecompileError:
        raise
    except Exception as refused:
        mended, said = repair(file.config, file.generation)
        if mended == file.config:
            raise _refused(refused, file, name) from None
        try:
            model = _load(file, mended, objects, trust)
        except Exception:  # the first refusal is the one about the user's file
            raise _refused(refused, file, name) from None
    note = Diagnostic(
        code="EC247",
        severity=Severity.NOTE,
        message=f"the architecture in `{name}` was mended to open it",
        location=Location(file=name),
        notes=said,
    )
    return model, (note,)


def _load(file: KerasFile, config: dict[str, Any], objects: Custom, trust: bool) -> Any:
    with warnings.catch_warnings(), readable_copy(file, config) as path:
        warnings.simplefilter("ignore")
        if file.generation == 2:
            known = {**_extra_activations(), **objects.keras2}
            safe = {"safe_mode": not trust} if file.kind == "keras" else {}
            return tf_keras().models.load_model(str(path), custom_objects=known, compile=False, **safe)
        return keras3().models.load_model(
            str(path), custom_objects=dict(objects.keras3), compile=False, safe_mode=not trust
        )


def _extra_activations() -> Mapping[str, Any]:
    """Functions that old files name as if they were Keras 2's own (MobileNet's, before Keras knew them)."""
    nn = tensorflow().nn
    return {"relu6": nn.relu6, "leaky_relu": nn.leaky_relu, "silu": nn.silu, "hard_swish": _hard_swish}


def _hard_swish(x: Any) -> Any:
    return x * tensorflow().nn.relu6(x + 3.0) * (1.0 / 6.0)


def _saved_model(source: ModelSource, custom: str | None, trust: bool, base: Path) -> Any:
    assert source.path is not None
    message = read_saved_model(source.path)
    objects = read_custom(custom, base, 2)
    if not trust:
        refuse_operators(message, source.name)
    configs = list(keras_configs(message, source.path))
    for config in configs:
        _scan(config, 2, objects, trust, source.name)
    model = load_keras_part(source.path, objects.keras2) if configs else None
    return model if model is not None else load_signature(source.path, source.name)


def _refused(reason: Exception, file: KerasFile, name: str) -> EdgecompileError:
    return bad_input(
        "EC241",
        f"Keras {file.generation} cannot open `{name}`",
        str(file.path),
        (
            f"written by Keras {file.version or 'of an unknown version'}",
            f"{type(reason).__name__}: {first_line(reason)}",
        ),
        ("open and save it again with the Keras that wrote it", "or build the model in Python: `file.py:function`"),
    )
