"""What both processes that change models begin and end with: samples for the model, and the answer for the parent."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.recipe_check import trains
from edgecompile.compress.training.setting import described
from edgecompile.compression import Compressed
from edgecompile.convert.random_calibration import random_inputs
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import Recipe, Step
from edgecompile.core.units import counted
from edgecompile.frontend import data as frontend_data
from edgecompile.frontend.imported import imported
from edgecompile.frontend.input_spec import InputSpec
from edgecompile.frontend.source import ModelSource
from edgecompile.libs.arrays import save_array
from edgecompile.libs.keras import BETWEEN_THREADS, INNER_THREADS

Array = np.ndarray[Any, Any]
RANDOM_REFERENCE_SAMPLES = 64


@dataclass(kw_only=True)
class Work:
    """Stages as they are finished, told to the listener; ``detail`` and ``line`` as he heard them, so that he may
    hear of them again where they are taken from the cache, ``summary`` as the report has it.
    """

    progress: Progress
    stages: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @contextmanager
    def stage(self, name: str, detail: str, *, several: bool = False) -> Iterator[list[str]]:
        """Time a stage; the body appends its summary to the list it is given.

        ``several``: there are stages of the name, which the report tells apart by their detail.
        """
        summary: list[str] = []
        started = time.monotonic()
        self.progress.begin(name, detail)
        yield summary
        line = " ".join(summary)
        told = f"{detail}: {line}" if several else line
        self.finished(name, detail, line, told, time.monotonic() - started)
        self.progress.end(line)

    def finished(self, name: str, detail: str, line: str, summary: str, duration_s: float) -> None:
        """A stage that the listener has heard of."""
        self.stages.append(
            {"name": name.lower(), "detail": detail, "line": line, "summary": summary, "duration_s": duration_s}
        )


@dataclass(frozen=True, kw_only=True)
class Given:
    """The data of a build, in the order of the model's inputs and outputs; ``diagnostics`` of how they fit."""

    dataset: frontend_data.DataSet | None
    calibration: tuple[Array, ...] | None
    diagnostics: tuple[Diagnostic, ...] = ()


def given_for(
    inputs: Sequence[InputSpec], outputs: Sequence[InputSpec], data: str | None, random_samples: int, seed: int
) -> Given:
    """What was saved in the folder ``data``, if any, for a model of these ends; that much noise to calibrate without.

    Raises what checking the data against the model raises.
    """
    if data is None:
        return Given(dataset=None, calibration=calibration_of(None, inputs, random_samples, seed))
    dataset = frontend_data.restore(Path(data))
    diagnostics = frontend_data.check_against(dataset, inputs, outputs)
    dataset = frontend_data.arrange(dataset, inputs, outputs)
    calibration = calibration_of(dataset, inputs, random_samples, seed)
    return Given(dataset=dataset, calibration=calibration, diagnostics=tuple(diagnostics))


def predicted(predict: Callable[[], Sequence[Array]], samples: int, work: Work) -> Sequence[Array]:
    """The float model's answers, as a stage of their own."""
    with work.stage("Predict", "the float model") as summary:
        answers = predict()
        summary.append(counted(samples, "sample"))
    return answers


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the model itself, whatever it was loaded from and is made into."""

    parameters: int
    inputs: Sequence[InputSpec]
    outputs: Sequence[InputSpec]
    diagnostics: Sequence[Diagnostic]
    versions: dict[str, str]
    bridge_difference: float | None = None


def answered(
    known: Known, asked: Sequence[Array], answers: Sequence[Array], work: Work, made: dict[str, Any], out: Path
) -> dict[str, Any]:
    """The whole answer for the parent; ``asked`` and ``answers`` of the float model are written into ``out``."""
    save_samples(out, asked, answers)
    return {
        "parameters": known.parameters,
        "inputs": [dataclasses.asdict(spec) for spec in known.inputs],
        "outputs": [dataclasses.asdict(spec) for spec in known.outputs],
        "bridge_difference": known.bridge_difference,
        "diagnostics": [plain_of(diagnostic) for diagnostic in known.diagnostics],
        "stages": work.stages,
        "made": made,
        "input_files": [f"input_{index}.npy" for index in range(len(asked))],
        "reference_files": [f"reference_{index}.npy" for index in range(len(answers))],
        "versions": known.versions,
        "imported": imported(out),
    }


def made_of(work: Work, compressed: Compressed) -> dict[str, Any]:
    """What making the flatbuffers was like, apart from what is known of the model: for the parent."""
    return {
        "stages": work.stages,
        "diagnostics": [plain_of(diagnostic) for diagnostic in compressed.diagnostics],
        "records": {label: [one.to_dict() for one in done] for label, done in compressed.records.items()},
    }


def source_of(plain: dict[str, Any]) -> ModelSource:
    """From the parent."""
    return ModelSource(**{**plain, "path": Path(plain["path"]) if plain["path"] else None})


def calibration_of(
    dataset: frontend_data.DataSet | None, inputs: Sequence[InputSpec], random_samples: int, seed: int
) -> tuple[np.ndarray[Any, Any], ...] | None:
    """Calibration samples, or that much noise; None for neither."""
    if dataset is not None and dataset.calibration is not None:
        return dataset.calibration.x
    if random_samples:
        return random_inputs(inputs, random_samples, seed)
    return None


def reference_inputs(
    dataset: frontend_data.DataSet | None, inputs: Sequence[InputSpec], samples: int | None, seed: int
) -> tuple[np.ndarray[Any, Any], ...]:
    """What the float model is asked about: test samples, or noise."""
    if dataset is not None and dataset.test is not None:
        return tuple(array[:samples] for array in dataset.test.x)
    return random_inputs(inputs, min(samples or RANDOM_REFERENCE_SAMPLES, RANDOM_REFERENCE_SAMPLES), seed + 1)


def save_samples(out: Path, inputs: Sequence[Array], outputs: Sequence[Array]) -> None:
    """Inputs and what the float model gives for them, as the parent reads them."""
    for kind, arrays in (("reference", outputs), ("input", inputs)):
        for index, array in enumerate(arrays):
            save_array(out / f"{kind}_{index}.npy", array)


def plain_of(diagnostic: Diagnostic) -> dict[str, Any]:
    """For the parent."""
    return diagnostic.to_dict()


def trained_on(recipe: dict[str, Any] | None) -> dict[str, str]:
    """What the recipe was trained on, for the report; nothing where it trains nothing."""
    steps = [Step(name=step["pass"], options=step["options"]) for step in (recipe or {}).get("steps", ())]
    return {"trained on": described()} if trains(Recipe(steps=tuple(steps))) else {}


def versions(threads: int = 0) -> dict[str, str]:
    """Of the libraries that change what comes out, and how many threads TensorFlow has; 0: the usual number."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("tensorflow", "tf-keras", "keras"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    inner, between = (threads, 1) if threads else (INNER_THREADS, BETWEEN_THREADS)
    found["threads of tensorflow"] = f"{inner} in an operator, {counted(between, 'operator')} at once"
    return found
