"""The Keras process: everything of a build that needs TensorFlow, in one child process.

The parent starts :func:`lower` through ``libs/child.py``; arguments and result are JSON,
arrays and flatbuffers cross as files. Nothing here is imported by the parent.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compression import Compressed, Material, adapt, changes_layers, compress
from edgecompile.convert.convert import convert
from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.convert.unroll import unroll
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.input_shape import InputShape, parse_input_shape
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import NEEDS_CALIBRATION, Recipe, Scheme, Step
from edgecompile.core.units import counted, format_size
from edgecompile.frontend import data as frontend_data
from edgecompile.frontend.keras_model import KerasModel, load
from edgecompile.frontend.source import ModelSource, open_model
from edgecompile.ir import reader, writer
from edgecompile.ir.network import Network
from edgecompile.process_ends import Given, Work
from edgecompile.process_frame import Asked, Loaded, Made, Task, lowered

Array = np.ndarray[Any, Any]
PREDICT_BATCH = 256


def lower(*, progress: Progress, **asked: Any) -> dict[str, Any]:
    """Load the model, compress it, convert it in every scheme, and record its float predictions.

    ``asked`` are the fields of ``process_frame.Asked``; the answer and what is raised are those of its ``lowered``.
    """
    wish = Asked(**asked)
    return lowered(wish, progress, partial(_loaded, wish))


def _loaded(asked: Asked, origin: ModelSource) -> Loaded:
    shapes = [parse_input_shape(shape) for shape in asked.shapes]
    model = load(origin, asked.custom, asked.trust, Path(asked.base), shapes)
    return Loaded(
        parameters=model.parameters,
        inputs=model.inputs,
        outputs=model.outputs,
        make=partial(_made, model, asked),
        predict=partial(predict, model),
        diagnostics=model.diagnostics,
        bridge_difference=model.bridge_difference,
    )


def _made(model: KerasModel, asked: Asked, task: Task) -> Made:
    needs = any(scheme.numerics in NEEDS_CALIBRATION for scheme in asked.numerics)
    said = unroll(model.model) if asked.recipe is not None or needs else []
    if asked.recipe is not None:
        return _by_recipe(model, asked, asked.recipe, task, said)
    wanted = [scheme for scheme in asked.numerics if scheme.label in asked.wanted]
    _convert(model, wanted, task.given.calibration, asked.seed, asked.out, task.work)
    return Made(said=said)


def _by_recipe(model: KerasModel, asked: Asked, recipe: dict[str, Any], task: Task, said: Sequence[Diagnostic]) -> Made:
    known = _shapes(model) if asked.shapes else ()
    opened = Opened(custom=asked.custom, trust=asked.trust, base=Path(asked.base), seed=asked.seed, shapes=known)
    material = material_of(asked.numerics, task.given, recipe, opened, task.work)
    # What is emitted is held against the model as it was given, not with its layers changed.
    as_given = predict(model, task.samples) if changes_layers(material) else None
    said = [*said, *adapt(model.model, lambda x: list(predict(model, x)), material)]
    if not asked.wanted:
        return Made(said=said, as_given=as_given)
    compressed = _compress(model, material, recipe["title"], asked.out, task.work)
    return Made(compressed=compressed, said=said, as_given=as_given)


@dataclass(frozen=True, kw_only=True)
class Opened:
    """How teachers are opened. ``shapes``: of the model's inputs, where it was told any."""

    custom: str | None
    trust: bool
    base: Path
    seed: int
    shapes: tuple[InputShape, ...] = ()


def _convert(
    model: KerasModel,
    schemes: Sequence[Scheme],
    calibration: tuple[Array, ...] | None,
    seed: int,
    out: Path,
    work: Work,
) -> None:
    for scheme in schemes:
        with work.stage("Convert", scheme.title, several=True) as summary:
            used = calibration if scheme.numerics in NEEDS_CALIBRATION else None
            taken: list[str] = []
            content = convert(model.model, scheme, used, seed, taken.append)
            (out / f"{scheme.label}.tflite").write_bytes(content)
            summary.append(", ".join([format_size(len(content)), *(f"calibrated by {method}" for method in taken)]))


def _compress(model: KerasModel, material: Material, title: str, out: Path, work: Work) -> Compressed:
    with work.stage("Convert", "float32, for the recipe", several=True) as summary:
        network = _floats(model, material.seed)
        summary.append(counted(len(network.main.operators), "operator"))
    return take_steps(network, model.model.name, material, title, out, work)


def material_of(
    schemes: Sequence[Scheme], given: Given, recipe: dict[str, Any], opened: Opened, work: Work
) -> Material:
    """What a recipe works with besides the network."""
    steps = tuple(Step(name=step["pass"], options=step["options"]) for step in recipe["steps"])
    return Material(
        recipe=Recipe(name=recipe["name"], steps=steps),
        schemes=schemes,
        forms=recipe["forms"],
        calibration=given.calibration,
        train=_samples(given.dataset.train if given.dataset else None),
        validation=_samples(given.dataset.validation if given.dataset else None),
        teachers={
            name: partial(_teacher, name, opened) for name in (step.options.get("teacher") for step in steps) if name
        },
        metric=recipe["metric"],
        partly=recipe["partly"],
        widely=recipe["widely"],
        base=opened.base,
        seed=opened.seed,
        folder=Path(recipe["cache"]) if recipe["cache"] else None,
        progress=work.progress,
    )


def take_steps(network: Network, name: str, material: Material, title: str, out: Path, work: Work) -> Compressed:
    """Run the steps on a float network and write ``<scheme label>.tflite`` of every scheme."""
    started = time.monotonic()
    compressed = compress(network, name, material)
    for scheme in material.schemes:
        content = writer.write(compressed.networks[scheme.label])
        (out / f"{scheme.label}.tflite").write_bytes(content)
    work.finished("compress", title, "", title, time.monotonic() - started)
    return compressed


def _floats(model: KerasModel, seed: int) -> Network:
    content = convert(model.model, Scheme(numerics="float32", io_dtype="float32"), None, seed)
    return with_integer_forms(reader.read(content, f"{model.model.name}.tflite"))


def _shapes(model: KerasModel) -> tuple[InputShape, ...]:
    return tuple(InputShape(sizes=tuple(size for size in port.shape[1:] if size is not None)) for port in model.inputs)


def _teacher(name: str, opened: Opened) -> Network:
    model = load(open_model(name, opened.base), opened.custom, opened.trust, opened.base, opened.shapes)
    return _floats(model, opened.seed)


def _samples(split: Any) -> Samples | None:
    return Samples(x=tuple(split.x), y=tuple(split.y)) if split is not None and len(split) else None


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
