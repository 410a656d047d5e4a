"""A float .tflite through a recipe's steps, in the Keras process: what ``keras_process`` is for Keras models."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgecompile.compress.context import Samples
from edgecompile.compress.run import outputs
from edgecompile.compress.structure.counts import count
from edgecompile.compress.subject import Subject
from edgecompile.compression import Compressed
from edgecompile.convert.integer_forms import with_integer_forms
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import Scheme
from edgecompile.core.units import group
from edgecompile.emit.model_card import foresee_labels
from edgecompile.frontend import data as frontend_data
from edgecompile.frontend.imported import imported
from edgecompile.frontend.network_ports import ports_of
from edgecompile.ir import reader
from edgecompile.ir.model_metadata import ENTRY
from edgecompile.keras_process import (
    Opened,
    Work,
    calibration_of,
    made_of,
    material_of,
    plain_of,
    reference_inputs,
    save_samples,
    source_of,
    take_steps,
    trained_on,
    versions,
)
from edgecompile.libs.keras import pin


def lower(
    *,
    source: dict[str, Any],
    custom: str | None,
    trust: bool,
    shapes: Sequence[str],
    base: str,
    schemes: Sequence[dict[str, Any]],
    data: str | None,
    random_calibration: int,
    reference_samples: int | None,
    seed: int,
    folder: str,
    wanted: Sequence[str],
    progress: Progress,
    recipe: dict[str, Any],
    labels: Sequence[str] = (),
    threads: int = 0,
) -> dict[str, Any]:
    """What ``keras_process.lower`` gives, by the same arguments, for a .tflite in float32 and a recipe with steps.

    Raises what checking the data, the steps and the quantizer raise.
    """
    pin(threads)
    out, work = Path(folder), Work(progress=progress)
    origin = source_of(source)
    with work.stage("Load", origin.name) as summary:
        assert origin.path is not None
        network = with_integer_forms(reader.read(origin.path.read_bytes(), origin.name))
        summary.append(f"{group(count(network, 'parameters'))} parameters")
    inputs, ends = ports_of(network)
    foresee_labels(() if ENTRY in network.metadata else labels, origin.name, ends)
    diagnostics: list[Diagnostic] = []
    dataset = frontend_data.restore(Path(data)) if data else None
    if dataset is not None:
        diagnostics += frontend_data.check_against(dataset, inputs, ends)
        dataset = frontend_data.arrange(dataset, inputs, ends)
    calibration = calibration_of(dataset, inputs, random_calibration, seed)
    opened = Opened(custom=custom, trust=trust, base=Path(base), seed=seed)
    making, compressed = Work(progress=progress), Compressed()
    if wanted:
        material = material_of([Scheme(**plain) for plain in schemes], calibration, dataset, recipe, opened, making)
        compressed = take_steps(network, origin.name.removesuffix(".tflite"), material, recipe["title"], out, making)
    asked = reference_inputs(dataset, inputs, reference_samples, seed)
    with work.stage("Predict", "the float model") as summary:
        answers = outputs(Subject(network=network), Samples(x=tuple(asked)))
        summary.append(f"{group(len(asked[0]))} samples")
    save_samples(out, asked, answers)
    return {
        "parameters": count(network, "parameters"),
        "inputs": [dataclasses.asdict(spec) for spec in inputs],
        "outputs": [dataclasses.asdict(spec) for spec in ends],
        "bridge_difference": None,
        "diagnostics": [plain_of(diagnostic) for diagnostic in diagnostics],
        "stages": work.stages,
        "made": made_of(making, compressed),
        "input_files": [f"input_{index}.npy" for index in range(len(asked))],
        "reference_files": [f"reference_{index}.npy" for index in range(len(answers))],
        "versions": {**versions(threads), **trained_on(recipe)},
        "imported": imported(out),
    }
