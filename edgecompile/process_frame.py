"""What both processes that change models do around it: load, samples, the float answers, and all that is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compression import Compressed
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import Scheme
from edgecompile.core.units import counted
from edgecompile.emit.model_card import foresee_labels
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.frontend.source import ModelSource
from edgecompile.libs.keras import pin
from edgecompile.process_ends import (
    Given,
    Known,
    Work,
    answered,
    given_for,
    made_of,
    predicted,
    reference_inputs,
    source_of,
    trained_on,
    versions,
)

Array = np.ndarray[Any, Any]
Answers = Sequence[Array]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the parent asks for, in JSON's types.

    ``shapes``: of inputs that the model leaves open. ``data``: folder of a data set saved by ``frontend.data.save``.
    ``random_calibration``: samples of noise to calibrate with where there is no data, else 0.
    ``schemes``: all of the build; ``wanted``: labels of those to convert, none where only predictions are.
    ``recipe``: its ``steps``, the ``forms`` and ``metric`` they are judged by, the ``cache``; None: no step is taken.
    ``labels``: class names that an output must fit. ``threads``: TensorFlow's, 0: the usual number. ``folder``: where
    files of the answer go.
    """

    source: dict[str, Any]
    custom: str | None
    trust: bool
    shapes: Sequence[str]
    base: str
    schemes: Sequence[dict[str, Any]]
    data: str | None
    random_calibration: int
    reference_samples: int | None
    seed: int
    folder: str
    wanted: Sequence[str]
    recipe: dict[str, Any] | None = None
    labels: Sequence[str] = ()
    threads: int = 0

    @property
    def numerics(self) -> list[Scheme]:
        """All schemes of the build."""
        return [Scheme(**plain) for plain in self.schemes]

    @property
    def out(self) -> Path:
        """The folder of the answer."""
        return Path(self.folder)


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What there is to make flatbuffers with: ``samples`` are those that the float model is asked about."""

    given: Given
    samples: tuple[Array, ...]
    work: Work


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """What came of it. ``as_given``: answers of the model from before its layers were changed; None: as it is now."""

    compressed: Compressed = field(default_factory=Compressed)
    said: Sequence[Diagnostic] = ()
    as_given: Answers | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """A float model: what is known of it, how its flatbuffers are made, and what it answers to inputs, samples first.

    ``names_classes``: it brings names of its classes along, so that those of the user's labels are not looked at.
    """

    parameters: int
    inputs: Sequence[InputSpec]
    outputs: Sequence[InputSpec]
    make: Callable[[Task], Made]
    predict: Callable[[Sequence[Array]], Answers]
    diagnostics: Sequence[Diagnostic] = ()
    bridge_difference: float | None = None
    names_classes: bool = False


def lowered(asked: Asked, progress: Progress, load: Callable[[ModelSource], Loaded]) -> dict[str, Any]:
    """The answer for the parent; writes ``<scheme label>.tflite`` of the schemes that are ``wanted``, ``input_<i>.npy``
    and ``reference_<i>.npy`` (float32, samples first) into the folder.

    Raises what loading, checking the data, compressing and converting raise.
    """
    work, making = Work(progress=progress), Work(progress=progress)
    origin = source_of(asked.source)
    with work.stage("Load", origin.name) as summary:
        pin(asked.threads)
        model = load(origin)
        summary.append(counted(model.parameters, "parameter"))
    foresee_labels(() if model.names_classes else asked.labels, origin.name, model.outputs)
    given = given_for(model.inputs, model.outputs, asked.data, asked.random_calibration, asked.seed)
    samples = reference_inputs(given.dataset, model.inputs, asked.reference_samples, asked.seed)
    made = model.make(Task(given=given, samples=samples, work=making))
    answers = predicted(lambda: made.as_given or model.predict(samples), len(samples[0]), work)
    known = Known(
        parameters=model.parameters,
        inputs=model.inputs,
        outputs=model.outputs,
        bridge_difference=model.bridge_difference,
        diagnostics=[*model.diagnostics, *given.diagnostics, *made.said],
        versions={**versions(asked.threads), **trained_on(asked.recipe)},
    )
    return answered(known, samples, answers, work, made_of(making, made.compressed), asked.out)
