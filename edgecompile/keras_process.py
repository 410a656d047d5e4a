"""The Keras process: everything of a build that needs TensorFlow, in one child process.

The parent starts :func:`lower` through ``libs/child.py``; arguments and result are JSON,
arrays and flatbuffers cross as files. Nothing here is imported by the parent.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.convert.convert import convert
from edgecompile.convert.random_calibration import random_inputs
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import NEEDS_CALIBRATION, Scheme
from edgecompile.core.units import format_size, group
from edgecompile.frontend import data as frontend_data
from edgecompile.frontend.keras_model import KerasModel, load
from edgecompile.frontend.source import ModelSource
from edgecompile.libs.arrays import save_array

PREDICT_BATCH = 256
RANDOM_REFERENCE_SAMPLES = 64


def lower(
    *,
    source: dict[str, Any],
    custom: str | None,
    trust: bool,
    base: str,
    schemes: Sequence[dict[str, Any]],
    data: str | None,
    random_calibration: int,
    reference_samples: int | None,
    seed: int,
    folder: str,
    progress: Progress,
) -> dict[str, Any]:
    """Load the model, convert it in every scheme, and record its float predictions.

    ``data``: folder of a data set saved by ``frontend.data.save`` or None.
    ``random_calibration``: samples of noise to calibrate with where there is no data, else 0.
    Writes ``<scheme label>.tflite``, ``input_<i>.npy`` and ``reference_<i>.npy`` (float32, samples
    first) into ``folder``. Raises what loading, checking the data and converting raise.
    """
    out = Path(folder)
    stages: list[dict[str, Any]] = []
    started = time.monotonic()
    origin = ModelSource(**{**source, "path": Path(source["path"]) if source["path"] else None})
    progress.begin("Load", origin.name)
    model = load(origin, custom, trust, Path(base))
    stages.append(_stage("load", f"{group(model.parameters)} parameters", started))
    progress.end(stages[-1]["summary"])
    diagnostics = list(model.diagnostics)
    dataset = frontend_data.restore(Path(data)) if data else None
    if dataset is not None:
        diagnostics += frontend_data.check_against(dataset, model.inputs, model.outputs)
        dataset = frontend_data.arrange(dataset, model.inputs, model.outputs)
    calibration = _calibration(dataset, model, random_calibration, seed)
    for scheme in (Scheme(**plain) for plain in schemes):
        started = time.monotonic()
        progress.begin("Convert", scheme.title)
        used = calibration if scheme.numerics in NEEDS_CALIBRATION else None
        content = convert(model.model, scheme, used, seed)
        (out / f"{scheme.label}.tflite").write_bytes(content)
        stages.append(_stage("convert", f"{scheme.title}: {format_size(len(content))}", started))
        progress.end(format_size(len(content)))
    started = time.monotonic()
    inputs = _reference_inputs(dataset, model, reference_samples, seed)
    progress.begin("Predict", "the float model")
    outputs = predict(model, inputs)
    for index, array in enumerate(outputs):
        save_array(out / f"reference_{index}.npy", array)
    for index, array in enumerate(inputs):
        save_array(out / f"input_{index}.npy", array)
    stages.append(_stage("predict", f"{group(len(inputs[0]))} samples", started))
    progress.end(stages[-1]["summary"])
    return {
        "parameters": model.parameters,
        "inputs": [dataclasses.asdict(spec) for spec in model.inputs],
        "outputs": [dataclasses.asdict(spec) for spec in model.outputs],
        "bridge_difference": model.bridge_difference,
        "diagnostics": [_plain(diagnostic) for diagnostic in diagnostics],
        "stages": stages,
        "input_files": [f"input_{index}.npy" for index in range(len(inputs))],
        "reference_files": [f"reference_{index}.npy" for index in range(len(outputs))],
        "versions": _versions(),
    }


def load_user_data(*, base: str, spec: dict[str, Any], seed: int, folder: str) -> dict[str, Any]:
    """Run the user's ``module:function`` for data, here where it may import what it likes."""
    restored = frontend_data.spec_from(spec)
    dataset = frontend_data.open_data(restored, Path(base), seed)
    frontend_data.save(dataset, Path(folder))
    return {}


def predict(model: KerasModel, inputs: Sequence[np.ndarray[Any, Any]]) -> tuple[np.ndarray[Any, Any], ...]:
    """Outputs of the float model in its own order, float32, samples first."""
    batches = []
    for start in range(0, len(inputs[0]), PREDICT_BATCH):
        batch = [array[start : start + PREDICT_BATCH] for array in inputs]
        batches.append(_as_tuple(model.model(_as_given(model, batch), training=False)))
    return tuple(np.concatenate(part).astype(np.float32) for part in zip(*batches, strict=True))


def _as_given(model: KerasModel, batch: list[np.ndarray[Any, Any]]) -> Any:
    names = [spec.dtype for spec in model.inputs]
    cast = [part.astype(dtype, copy=False) for part, dtype in zip(batch, names, strict=True)]
    return cast[0] if len(cast) == 1 else cast


def _as_tuple(outputs: Any) -> tuple[np.ndarray[Any, Any], ...]:
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    parts = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return tuple(np.asarray(part) for part in parts)


def _calibration(
    dataset: frontend_data.DataSet | None, model: KerasModel, random_samples: int, seed: int
) -> tuple[np.ndarray[Any, Any], ...] | None:
    if dataset is not None and dataset.calibration is not None:
        return dataset.calibration.x
    if random_samples:
        return random_inputs(model.inputs, random_samples, seed)
    return None


def _reference_inputs(
    dataset: frontend_data.DataSet | None, model: KerasModel, samples: int | None, seed: int
) -> tuple[np.ndarray[Any, Any], ...]:
    if dataset is not None and dataset.test is not None:
        return tuple(array[:samples] for array in dataset.test.x)
    return random_inputs(model.inputs, min(samples or RANDOM_REFERENCE_SAMPLES, RANDOM_REFERENCE_SAMPLES), seed + 1)


def _stage(name: str, summary: str, started: float) -> dict[str, Any]:
    return {"name": name, "summary": summary, "duration_s": time.monotonic() - started}


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    return diagnostic.to_dict()


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("tensorflow", "tf-keras", "keras"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
